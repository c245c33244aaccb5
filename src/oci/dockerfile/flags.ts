import { parseDurationMs } from '#base'

import { refuse, shown, type Place } from './place.ts'
import type { MountFlag } from './tree.ts'
import type { Flag } from './words.ts'

/** The flags of one instruction, each read once by name; `finish` refuses what nobody asked for. */
export interface FlagReader {
  text(name: string): string | undefined
  all(name: string): readonly string[]
  truth(name: string): boolean | undefined
  durationMs(name: string): number | undefined
  finish(): void
}

export function flagReader(flags: readonly Flag[], instruction: string, place: Place): FlagReader {
  const asked: string[] = []
  const given = (name: string): readonly Flag[] => {
    asked.push(name)
    return flags.filter((flag) => flag.name === name)
  }
  const valueOf = (flag: Flag): string => {
    if (flag.value === undefined)
      throw refuse(place, `${instruction}: the flag --${flag.name} has no value`, `Write --${flag.name}=VALUE.`)
    return flag.value
  }
  const single = (name: string): Flag | undefined => {
    const found = given(name)
    if (found.length > 1) throw refuse(place, `${instruction}: the flag --${name} is given twice`, 'Keep one of the two.')
    return found[0]
  }
  const text = (name: string) => {
    const flag = single(name)
    return flag === undefined ? undefined : valueOf(flag)
  }
  return {
    text,
    all: (name) => given(name).map(valueOf),
    truth: (name) => {
      const flag = single(name)
      return flag === undefined ? undefined : truthOf(flag.value, `${instruction}: --${name}`, place)
    },
    durationMs: (name) => {
      const value = text(name)
      return value === undefined ? undefined : durationOf(value, `${instruction}: --${name}`, place)
    },
    finish: () => {
      const unknown = flags.find((flag) => !asked.includes(flag.name))
      if (unknown === undefined) return
      const known = asked.length === 0 ? 'It takes no flags.' : `Known here: ${asked.map((name) => `--${name}`).join(', ')}.`
      throw refuse(place, `${instruction} has no flag --${unknown.name}`, known)
    },
  }
}

function truthOf(value: string | undefined, what: string, place: Place): boolean {
  if (value === undefined || value === 'true' || value === '1') return true
  if (value === 'false' || value === '0') return false
  throw refuse(place, `${what}: ${shown(value)} is neither true nor false`, 'Write true or false.')
}

function durationOf(value: string, what: string, place: Place): number {
  const ms = ((): number => {
    try {
      return parseDurationMs(value, what)
    } catch {
      return Number.NaN
    }
  })()
  if (!Number.isFinite(ms) || (ms > 0 && ms < 1))
    throw refuse(
      place,
      `${what}: ${shown(value)} is not a duration of at least 1ms`,
      'Write a number with a unit, such as 30s or 1m30s.',
    )
  return ms
}

const MOUNT_OPTIONS: Readonly<Record<MountFlag['type'], readonly string[]>> = {
  bind: ['from', 'source', 'target', 'readwrite'],
  cache: ['id', 'target', 'readonly', 'sharing', 'from', 'source', 'mode', 'uid', 'gid'],
  tmpfs: ['target', 'size'],
  secret: ['id', 'target', 'env', 'required', 'mode', 'uid', 'gid'],
  ssh: ['id', 'target', 'required', 'mode', 'uid', 'gid'],
}

/** Other spellings that BuildKit takes for the same option. */
const MOUNT_ALIASES: Readonly<Record<string, string>> = {
  src: 'source',
  dst: 'target',
  destination: 'target',
  ro: 'readonly',
  rw: 'readwrite',
}

/** Reads `type=cache,target=/root/.cache,…`: comma-separated values, where double quotes protect a comma. */
export function mountFlag(text: string, place: Place): MountFlag {
  const options = new Map<string, string>()
  for (const field of text.match(/(?:"(?:[^"]|"")*"|[^,"])+/g) ?? []) {
    const plain = field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field
    const equals = plain.indexOf('=')
    const written = (equals < 0 ? plain : plain.slice(0, equals)).trim().toLowerCase()
    options.set(MOUNT_ALIASES[written] ?? written, equals < 0 ? 'true' : plain.slice(equals + 1))
  }
  const type = options.get('type') ?? 'bind'
  if (!isMountType(type))
    throw refuse(place, `RUN --mount: the type ${shown(type)} is not known`, `Known: ${Object.keys(MOUNT_OPTIONS).join(', ')}.`)
  options.delete('type')
  normalizeAccess(type, options)
  const unknown = [...options.keys()].find((name) => !MOUNT_OPTIONS[type].includes(name))
  if (unknown !== undefined)
    throw refuse(place, `RUN --mount=type=${type} has no option ${shown(unknown)}`, `Known: ${MOUNT_OPTIONS[type].join(', ')}.`)
  return { type, options }
}

function isMountType(type: string): type is MountFlag['type'] {
  return Object.hasOwn(MOUNT_OPTIONS, type)
}

/** A bind mount is read-only and a cache mount writable unless said otherwise; both words are taken for both. */
function normalizeAccess(type: MountFlag['type'], options: Map<string, string>): void {
  const [kept, opposite] = type === 'bind' ? ['readwrite', 'readonly'] : ['readonly', 'readwrite']
  const value = options.get(opposite)
  if (value === undefined || (type !== 'bind' && type !== 'cache')) return
  options.delete(opposite)
  options.set(kept, value === 'false' || value === '0' ? 'true' : 'false')
}
