import { parseBytes, parseDurationMs } from '#base'

interface FlagBase {
  /** One letter, for `-x`. */
  readonly short?: string
  readonly help: string
}

export type Flag =
  | (FlagBase & { readonly kind: 'boolean' })
  | (FlagBase & { readonly kind: 'text' | 'list' | 'number' | 'bytes' | 'duration'; readonly value: string })
  | (FlagBase & { readonly kind: 'choice'; readonly choices: readonly string[] })

/** Keyed by the long name without its dashes. */
export type Flags = Readonly<Record<string, Flag>>

/** What a flag is when it was not given: false, an empty list, or undefined. */
export type FlagValue<F extends Flag> = F extends { readonly kind: 'boolean' }
  ? boolean
  : F extends { readonly kind: 'list' }
    ? readonly string[]
    : F extends { readonly kind: 'number' | 'bytes' | 'duration' }
      ? number | undefined
      : F extends { readonly kind: 'choice'; readonly choices: readonly (infer C)[] }
        ? C | undefined
        : string | undefined

export type FlagValues<F extends Flags> = { readonly [K in keyof F]: FlagValue<F[K]> }

type Short = string | undefined
const withShort = (short: Short) => (short === undefined ? {} : { short })

export const isSet = (help: string, short?: string) => ({ kind: 'boolean', help, ...withShort(short) }) as const
export const text = (value: string, help: string, short?: string) => ({ kind: 'text', value, help, ...withShort(short) }) as const
export const list = (value: string, help: string, short?: string) => ({ kind: 'list', value, help, ...withShort(short) }) as const
export const number = (value: string, help: string, short?: string) =>
  ({ kind: 'number', value, help, ...withShort(short) }) as const
export const bytes = (help: string, short?: string) => ({ kind: 'bytes', value: 'SIZE', help, ...withShort(short) }) as const
export const duration = (help: string, short?: string) =>
  ({ kind: 'duration', value: 'TIME', help, ...withShort(short) }) as const
export const choice = <const C extends readonly string[]>(choices: C, help: string, short?: string) =>
  ({ kind: 'choice', choices, help, ...withShort(short) }) as const

/** The word behind `=` in help texts; empty for a boolean. */
export function placeholderOf(flag: Flag): string {
  if (flag.kind === 'boolean') return ''
  return flag.kind === 'choice' ? flag.choices.join('|') : flag.value
}

/** Turns the text behind a flag into its value, or says in words what is wrong with it. Sizes in bytes, durations in milliseconds. */
export function readFlagValue(flag: Flag, name: string, raw: string): { readonly value: unknown } | { readonly wrong: string } {
  switch (flag.kind) {
    case 'boolean':
      if (raw === 'true' || raw === 'false') return { value: raw === 'true' }
      return { wrong: `${name} is either there or not: ${JSON.stringify(raw)} is neither true nor false` }
    case 'number': {
      const value = Number(raw)
      return raw.trim() === '' || !Number.isFinite(value)
        ? { wrong: `${name}: ${JSON.stringify(raw)} is not a number` }
        : { value }
    }
    case 'choice':
      return flag.choices.includes(raw)
        ? { value: raw }
        : { wrong: `${name}: ${JSON.stringify(raw)} is none of ${flag.choices.join(', ')}` }
    case 'bytes':
      return readOr(() => parseBytes(raw, name))
    case 'duration':
      // A bare number means seconds, as `--timeout 10` is written everywhere.
      return readOr(() => (/^\d+$/.test(raw) ? Number(raw) * 1000 : parseDurationMs(raw, name)))
    case 'text':
    case 'list':
      return { value: raw }
  }
}

function readOr(read: () => number): { readonly value: number } | { readonly wrong: string } {
  try {
    return { value: read() }
  } catch (error) {
    return { wrong: error instanceof Error ? error.message : String(error) }
  }
}
