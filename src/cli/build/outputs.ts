import type { WireLayerForm, WireOutput } from '#api/glovebox'

import { cliError } from '../errors.ts'
import { oneOfWords, readOptions } from './options-text.ts'

/** Where a result goes, as the daemon is told, and where on this machine. */
export interface OutputChoice {
  readonly output: WireOutput
  /** A path, or `-` for the standard output; null: it stays with the daemon. */
  readonly dest: string | null
  /** Further names of the image. */
  readonly names: readonly string[]
}

const KNOWN = ['type', 'dest', 'name', 'push', 'push-by-digest', 'compression', 'compression-level']
const TYPES = ['local', 'tar', 'oci', 'docker', 'image', 'registry'] as const
const COMPRESSIONS = ['none', 'uncompressed', 'gzip', 'zstd'] as const

/** `--output`: a directory, `-` for an archive on the standard output, or `type=…,dest=…`. Errors: `cli.usage`, `cli.unsupported`. */
export function readOutputFlag(word: string): OutputChoice {
  if (word === '-') return { output: { type: 'tar' }, dest: '-', names: [] }
  if (!word.includes('=')) return { output: { type: 'local' }, dest: word, names: [] }
  const options = readOptions('--output', word, KNOWN)
  const type = oneOfWords('--output', 'type', options.get('type') ?? '', TYPES)
  const names = (options.get('name') ?? '').split(',').filter((name) => name !== '')
  const dest = options.get('dest')
  const isFile = type === 'tar' || type === 'oci' || (type === 'docker' && dest !== undefined)
  if (type === 'local' && (dest === undefined || dest === '' || dest === '-'))
    throw cliError('cli.usage', `--output: ${JSON.stringify(word)} needs dest=DIRECTORY`)
  if (dest !== undefined && !isFile && type !== 'local') throw cliError('cli.usage', `--output: type=${type} has no dest`)
  if (type === 'local' || type === 'tar') return { output: { type }, dest: dest ?? '-', names }
  if (isFile) {
    const form = formOf(options, type === 'oci' ? 'gzip' : 'none')
    return { output: { type: type === 'oci' ? 'oci' : 'docker', ...form }, dest: dest ?? '-', names }
  }
  const push = type === 'registry' || isTrue(options, 'push') ? 'tags' : 'no'
  return {
    output: { type: 'image', push: isTrue(options, 'push-by-digest') ? 'digest' : push, ...formOf(options, 'gzip') },
    dest: null,
    names,
  }
}

function isTrue(options: ReadonlyMap<string, string>, name: string): boolean {
  const word = options.get(name)
  if (word === undefined) return false
  return oneOfWords('--output', name, word.toLowerCase(), ['true', 'false', '1', '0']).match(/true|1/) !== null
}

/** How layers are compressed, as options of outputs and caches say it. */
export function formOf(options: ReadonlyMap<string, string>, fallback: WireLayerForm['compression']): WireLayerForm {
  const word = oneOfWords('--output', 'compression', options.get('compression') ?? fallback, COMPRESSIONS)
  const level = options.get('compression-level')
  if (level !== undefined && !/^\d+$/.test(level))
    throw cliError('cli.usage', `compression-level: ${JSON.stringify(level)} is not a number`)
  return { compression: word === 'uncompressed' ? 'none' : word, level: level === undefined ? null : Number(level) }
}
