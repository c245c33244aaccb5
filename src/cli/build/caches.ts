import { resolve } from 'node:path'

import type { WireCacheSource, WireCacheTarget } from '#api/glovebox'

import { cliError } from '../errors.ts'
import { oneOfWords, readOptions } from './options-text.ts'
import { formOf } from './outputs.ts'

/** `--cache-from`: a reference, `type=registry,ref=…`, or `type=local,src=DIRECTORY`. Errors: `cli.usage`, `cli.unsupported`. */
export function readCacheFrom(word: string, cwd: string): WireCacheSource {
  if (!word.includes('=')) return { type: 'registry', place: word }
  const options = readOptions('--cache-from', word, ['type', 'ref', 'src'])
  const type = oneOfWords('--cache-from', 'type', options.get('type') ?? 'registry', ['registry', 'local'])
  if (type === 'registry') return { type, place: needed('--cache-from', word, 'ref', options) }
  return { type, place: resolve(cwd, needed('--cache-from', word, 'src', options)) }
}

/** `--cache-to`: the same with `dest`, `mode=min|max` and compression, or `type=inline`. Errors: `cli.usage`, `cli.unsupported`. */
export function readCacheTo(word: string, cwd: string): WireCacheTarget {
  const known = ['type', 'ref', 'dest', 'mode', 'compression', 'compression-level']
  const options = word.includes('=') ? readOptions('--cache-to', word, known) : new Map([['ref', word]])
  const type = oneOfWords('--cache-to', 'type', options.get('type') ?? 'registry', ['registry', 'local', 'inline'])
  if (type === 'inline') return { type }
  const mode = oneOfWords('--cache-to', 'mode', options.get('mode') ?? 'min', ['min', 'max'])
  const form = formOf(options, 'gzip')
  if (type === 'registry') return { type, place: needed('--cache-to', word, 'ref', options), mode, ...form }
  return { type, place: resolve(cwd, needed('--cache-to', word, 'dest', options)), mode, ...form }
}

function needed(flag: string, word: string, name: string, options: ReadonlyMap<string, string>): string {
  const value = options.get(name) ?? ''
  if (value === '') throw cliError('cli.usage', `${flag}: ${JSON.stringify(word)} needs ${name}=`)
  return value
}
