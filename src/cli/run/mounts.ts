import { resolve } from 'node:path'

import { parseBytes } from '#base'

import { cliError } from '../errors.ts'
import { compact } from './compact.ts'
import { pairs } from './pairs.ts'

export interface ApiMount {
  readonly Type: MountType
  readonly Source?: string
  readonly Target: string
  readonly ReadOnly?: boolean
  readonly BindOptions?: object
  readonly VolumeOptions?: object
  readonly ImageOptions?: object
  readonly TmpfsOptions?: object
}

const TYPES = ['bind', 'volume', 'tmpfs', 'image'] as const
type MountType = (typeof TYPES)[number]

/** `-v`: a relative source (`./data`) means a directory here; everything else is left to the daemon to read. */
export function bindWords(
  words: readonly string[],
  cwd: string,
): { readonly binds: string[]; readonly anonymous: Record<string, object> } {
  const binds: string[] = []
  const anonymous: Record<string, object> = {}
  for (const word of words) {
    const [source = '', ...rest] = word.split(':')
    if (rest.length === 0) anonymous[source] = {}
    else binds.push([/^\.{1,2}(\/|$)/.test(source) ? resolve(cwd, source) : source, ...rest].join(':'))
  }
  return { binds, anonymous }
}

/** The first value of a key counts, except for those that gather. */
type Fields = ReadonlyMap<string, readonly string[]>

/** `--mount type=bind,source=/a,target=/b,readonly`. Keys that are not known are refused by name. Errors: `cli.usage`. */
export function mountWord(word: string, cwd: string): ApiMount {
  const fields = readFields(word)
  const type = TYPES.find((one) => one === (first(fields, 'type') ?? 'volume'))
  if (type === undefined) throw wrong(word, `type ${JSON.stringify(first(fields, 'type'))} is none of ${TYPES.join(', ')}`)
  const target = first(fields, 'target', 'destination', 'dst')
  if (target === undefined) throw wrong(word, 'target is missing')
  const source = first(fields, 'source', 'src')
  if (type === 'bind' && source === undefined) throw wrong(word, 'source is missing')
  const unknown = [...fields.keys()].find((key) => ![...COMMON, ...OWN[type]].includes(key))
  if (unknown !== undefined) throw wrong(word, `${JSON.stringify(unknown)} is not a key of a ${type} mount`)
  return {
    Type: type,
    Target: target,
    ...(source === undefined ? {} : { Source: type === 'bind' ? resolve(cwd, source) : source }),
    ...(isOn(fields, 'readonly') || isOn(fields, 'ro') ? { ReadOnly: true } : {}),
    ...ownOptions(type, fields, word),
  }
}

const COMMON = ['type', 'source', 'src', 'target', 'destination', 'dst', 'readonly', 'ro']
const OWN = {
  bind: ['bind-propagation', 'bind-nonrecursive', 'bind-recursive', 'bind-create-src'],
  volume: ['volume-nocopy', 'volume-subpath', 'volume-driver', 'volume-opt', 'volume-label'],
  tmpfs: ['tmpfs-size', 'tmpfs-mode'],
  image: ['image-subpath'],
} as const

/** Comma-separated; a part in double quotes may hold commas itself. */
function readFields(word: string): Fields {
  const fields = new Map<string, readonly string[]>()
  for (const match of word.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)) {
    const part = match[1] ?? ''
    if (part === '') continue
    const text = part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part
    const at = text.indexOf('=')
    const [key, value] = at === -1 ? [text, 'true'] : [text.slice(0, at), text.slice(at + 1)]
    fields.set(key.toLowerCase(), [...(fields.get(key.toLowerCase()) ?? []), value])
  }
  return fields
}

function ownOptions(type: MountType, fields: Fields, word: string): Partial<ApiMount> {
  const options = { bind: bindOptions, volume: volumeOptions, tmpfs: tmpfsOptions, image: imageOptions }[type](fields, word)
  const name = ({ bind: 'BindOptions', volume: 'VolumeOptions', tmpfs: 'TmpfsOptions', image: 'ImageOptions' } as const)[type]
  const said = compact({ ...options })
  return Object.keys(said).length === 0 ? {} : { [name]: said }
}

function bindOptions(fields: Fields, word: string): object {
  const recursion = first(fields, 'bind-recursive')
  if (recursion !== undefined && !['enabled', 'disabled', 'writable', 'readonly'].includes(recursion))
    throw wrong(word, `bind-recursive ${JSON.stringify(recursion)} is none of enabled, disabled, writable, readonly`)
  return {
    Propagation: first(fields, 'bind-propagation'),
    NonRecursive: isOn(fields, 'bind-nonrecursive') || recursion === 'disabled' || undefined,
    ReadOnlyNonRecursive: recursion === 'writable' || undefined,
    ReadOnlyForceRecursive: recursion === 'readonly' || undefined,
    CreateMountpoint: isOn(fields, 'bind-create-src') || undefined,
  }
}

function volumeOptions(fields: Fields): object {
  const driver = compact({ Name: first(fields, 'volume-driver'), Options: pairs(fields.get('volume-opt') ?? []) })
  return {
    NoCopy: isOn(fields, 'volume-nocopy') || undefined,
    Subpath: first(fields, 'volume-subpath'),
    Labels: pairs(fields.get('volume-label') ?? []),
    DriverConfig: driver,
  }
}

function imageOptions(fields: Fields): object {
  return { Subpath: first(fields, 'image-subpath') }
}

function tmpfsOptions(fields: Fields, word: string): object {
  const size = first(fields, 'tmpfs-size')
  const mode = first(fields, 'tmpfs-mode')
  if (mode !== undefined && !/^[0-7]{1,4}$/.test(mode)) throw wrong(word, `tmpfs-mode ${JSON.stringify(mode)} is not octal`)
  return {
    SizeBytes: size === undefined ? undefined : parseBytes(size, '--mount: tmpfs-size'),
    Mode: mode === undefined ? undefined : Number.parseInt(mode, 8),
  }
}

function first(fields: Fields, ...names: readonly string[]): string | undefined {
  return names.map((name) => fields.get(name)?.[0]).find((value) => value !== undefined)
}

function isOn(fields: Fields, name: string): boolean {
  return ['true', '1'].includes(first(fields, name) ?? '')
}

function wrong(word: string, why: string): Error {
  return cliError('cli.usage', `--mount: ${JSON.stringify(word)}: ${why}`)
}
