import { resolve } from 'node:path'

import { parseBytes } from '#base'

import { cliError } from '../errors.ts'

export interface ApiMount {
  readonly Type: 'bind' | 'volume' | 'tmpfs'
  readonly Source?: string
  readonly Target: string
  readonly ReadOnly?: boolean
  readonly BindOptions?: { readonly Propagation?: string; readonly CreateMountpoint?: boolean }
  readonly VolumeOptions?: { readonly NoCopy?: boolean; readonly Subpath?: string }
  readonly TmpfsOptions?: { readonly SizeBytes?: number; readonly Mode?: number }
}

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

type Fields = ReadonlyMap<string, string>

/** `--mount type=bind,source=/a,target=/b,readonly`. Keys that are not known are refused by name. Errors: `cli.usage`. */
export function mountWord(word: string, cwd: string): ApiMount {
  const fields: Fields = new Map(
    word.split(',').map((part) => {
      const at = part.indexOf('=')
      return at === -1 ? ([part, 'true'] as const) : ([part.slice(0, at), part.slice(at + 1)] as const)
    }),
  )
  const type = fields.get('type') ?? 'volume'
  if (type !== 'bind' && type !== 'volume' && type !== 'tmpfs')
    throw wrong(word, `type ${JSON.stringify(type)} is none of bind, volume, tmpfs`)
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
  bind: ['bind-propagation'],
  volume: ['volume-nocopy', 'volume-subpath'],
  tmpfs: ['tmpfs-size', 'tmpfs-mode'],
} as const

function ownOptions(type: ApiMount['Type'], fields: Fields, word: string): Partial<ApiMount> {
  if (type === 'bind') {
    const propagation = fields.get('bind-propagation')
    return propagation === undefined ? {} : { BindOptions: { Propagation: propagation } }
  }
  if (type === 'volume') {
    const subpath = fields.get('volume-subpath')
    const options = {
      ...(isOn(fields, 'volume-nocopy') ? { NoCopy: true } : {}),
      ...(subpath === undefined ? {} : { Subpath: subpath }),
    }
    return Object.keys(options).length === 0 ? {} : { VolumeOptions: options }
  }
  const size = fields.get('tmpfs-size')
  const mode = fields.get('tmpfs-mode')
  if (mode !== undefined && !/^[0-7]{1,4}$/.test(mode)) throw wrong(word, `tmpfs-mode ${JSON.stringify(mode)} is not octal`)
  const options = {
    ...(size === undefined ? {} : { SizeBytes: parseBytes(size, '--mount: tmpfs-size') }),
    ...(mode === undefined ? {} : { Mode: Number.parseInt(mode, 8) }),
  }
  return Object.keys(options).length === 0 ? {} : { TmpfsOptions: options }
}

function first(fields: Fields, ...names: readonly string[]): string | undefined {
  return names.map((name) => fields.get(name)).find((value) => value !== undefined)
}

function isOn(fields: Fields, name: string): boolean {
  return ['true', '1'].includes(fields.get(name) ?? '')
}

function wrong(word: string, why: string): Error {
  return cliError('cli.usage', `--mount: ${JSON.stringify(word)}: ${why}`)
}
