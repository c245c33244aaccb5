import { parseBytes, parseDurationMs } from '#base'

/** What a word names, for completion. */
export type Named =
  | 'container'
  | 'running'
  | 'paused'
  | 'stopped'
  | 'image'
  | 'repository'
  | 'network'
  | 'volume'
  | 'object'
  | 'anything'
  | 'stack'
  | 'service'
  | 'service-or-image'
  | 'running-or-service'
  | 'node'
  | 'route'
  | 'application'
  | 'environment'
  | 'job'
  | 'run'
  | 'secret'
  | 'config'
  | 'file'
  | 'directory'

interface FlagBase {
  /** One letter, for `-x`. */
  readonly short?: string
  readonly help: string
  /** Further long names, which help does not show. */
  readonly aliases?: readonly string[]
  readonly names?: Named
}

export type Flag =
  | (FlagBase & { readonly kind: 'boolean'; /** What it is when it was not given. */ readonly isOn?: boolean })
  /** The docker CLI has it and we do not: it is refused by name, with the reason in `help`. */
  | (FlagBase & { readonly kind: 'refused'; readonly hasValue: boolean })
  | (FlagBase & { readonly kind: 'text' | 'list' | 'number' | 'bytes' | 'duration'; readonly value: string })
  | (FlagBase & { readonly kind: 'choice'; readonly choices: readonly string[] })

/** Keyed by the long name without its dashes. */
export type Flags = Readonly<Record<string, Flag>>

/** What a flag is when it was not given: false (true for those that are on), an empty list, or undefined. */
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
/** On unless `--name=false` is said. */
export const isOn = (help: string, short?: string) => ({ kind: 'boolean', isOn: true, help, ...withShort(short) }) as const
export const refused = (why: string, hasValue = true, short?: string) =>
  ({ kind: 'refused', help: why, hasValue, ...withShort(short) }) as const
export const alsoCalled = <const F extends Flag>(flag: F, ...aliases: readonly string[]): F => ({ ...flag, aliases })
/** Tells completion what the value names. */
export const naming = <const F extends Flag>(names: Named, flag: F): F => ({ ...flag, names })
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
  if (flag.kind === 'boolean') return flag.isOn === true ? '[=false]' : ''
  if (flag.kind === 'refused') return ''
  return flag.kind === 'choice' ? flag.choices.join('|') : flag.value
}

/** Turns the text behind a flag into its value, or says in words what is wrong with it. Sizes in bytes, durations in milliseconds. */
export function readFlagValue(flag: Flag, name: string, raw: string): { readonly value: unknown } | { readonly wrong: string } {
  switch (flag.kind) {
    case 'refused':
      return { wrong: `${name} is not supported: ${flag.help}` }
    case 'boolean':
      if (/^(?:1|t|true)$/i.test(raw)) return { value: true }
      if (/^(?:0|f|false)$/i.test(raw)) return { value: false }
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
      // A bare number means seconds, as `--timeout 10` is written everywhere; -1 stands for no end.
      return readOr(() => (/^(?:-1|\d+)$/.test(raw) ? Number(raw) * 1000 : parseDurationMs(raw, name)))
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
