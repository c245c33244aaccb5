import { lstatSync, readdirSync, readlinkSync, type BigIntStats } from 'node:fs'

import type { WireContextEntry } from '#api/glovebox'
import { messageOf, systemCodeOf } from '#base'
import type { IgnoreRules } from '#oci/patterns'
import { bytesOfText, textOfBytes, type ByteString } from '#oci/tar'

import { clientError } from '../errors.ts'
import { type KnownNames, sameAsBefore, type ScanMemory } from './scan-memory.ts'
import { OWN_FILES, type SourceFiles } from './source-files.ts'

export interface ScanOptions {
  readonly rules: IgnoreRules
  /** Names the rules do not touch: the Dockerfile, the ignore file. */
  readonly isAlwaysIn: (path: string) => boolean
  /** Wall clock. */
  readonly nowMs: number
  readonly files?: SourceFiles
}

/** A file whose times are this fresh may change once more without their telling: what was read of it is not relied on again. */
const FRESH_MS = 50n
/** As the daemon's bound: beyond it somebody builds in the root directory. */
const MAX_ENTRIES = 1_000_000

/**
 * The files of a directory, directories before what is in them, without what the rules leave out; ignored directories are not entered.
 * Sockets are passed over: they mean nothing in an image. Looks at nothing but names and lstat(2); asking one after the other without
 * the thread pool is three times as fast. Errors: `client.bad_context`, `client.context_changed`.
 */
export function scanTree(root: string, options: ScanOptions): readonly WireContextEntry[] {
  const scan = scanning(root, options)
  for (;;) {
    const { done, value } = scan.next()
    if (done === true) return value
  }
}

/** The same where others wait meanwhile: they have their turn between two files, when `files` says so. */
export async function scanTreeInTurns(root: string, options: ScanOptions): Promise<readonly WireContextEntry[]> {
  const scan = scanning(root, options)
  for (;;) {
    const { done, value } = scan.next()
    if (done === true) return value
    const turn = options.files?.turn?.()
    if (turn !== undefined) await turn
  }
}

function* scanning(
  root: string,
  { rules, isAlwaysIn, nowMs, files = OWN_FILES }: ScanOptions,
): Generator<undefined, readonly WireContextEntry[]> {
  const entries: WireContextEntry[] = []
  const freshNs = (BigInt(Math.trunc(nowMs)) - FRESH_MS) * 1_000_000n
  const tree: Tree = { shown: root, place: bytesOfText(files.at(root)) }
  const memory = files.remembered?.(root)
  const before = memory?.entries ?? []
  const known = memory === undefined ? undefined : new Map<ByteString, KnownNames>()
  // A stack of its own: the depth of a tree is not ours to bound by the call stack.
  const top: Directory = {
    path: '' as ByteString,
    stamp: known === undefined ? undefined : stampOf(look(tree, '' as ByteString), freshNs),
  }
  const stack = [top]
  for (let directory = stack.pop(); directory !== undefined; directory = stack.pop()) {
    const below: Directory[] = []
    const names = knownNames(memory, directory) ?? namesIn(tree, directory.path)
    if (directory.stamp !== undefined) known?.set(directory.path, { stamp: directory.stamp, names })
    for (const name of names) {
      yield
      const path = (directory.path === '' ? name : `${directory.path}/${name}`) as ByteString
      const text = textOfBytes(path)
      const isIgnored = rules.isIgnored(text) && !isAlwaysIn(text)
      if (isIgnored && rules.canSkipDirectory(text)) continue
      const stats = look(tree, path)
      if (stats.isDirectory()) below.push({ path, stamp: known === undefined ? undefined : stampOf(stats, freshNs) })
      if (isIgnored || stats.isSocket()) continue
      entries.push(sameAsBefore(before, entries.length, entryOf(tree, path, stats, freshNs)))
      if (entries.length > MAX_ENTRIES)
        throw clientError('client.bad_context', `the build context ${root} has more than ${MAX_ENTRIES} files`, {
          hint: 'Name what the build does not need in .dockerignore.',
        })
    }
    for (const one of below.toReversed()) stack.push(one)
  }
  const isSame = entries.length === before.length && entries.every((entry, index) => entry === before[index])
  if (memory === undefined || known === undefined) return entries
  memory.entries = isSame ? before : entries
  memory.names = known
  return memory.entries
}

interface Directory {
  readonly path: ByteString
  /** undefined: its names are not relied on again. */
  readonly stamp: string | undefined
}

function knownNames(memory: ScanMemory | undefined, { path, stamp }: Directory): readonly string[] | undefined {
  const known = stamp === undefined ? undefined : memory?.names.get(path)
  return known?.stamp === stamp ? known?.names : undefined
}

/** As with files: whose times are fresh may get or lose a name without their telling. */
function stampOf({ dev, ino, mtimeNs, ctimeNs }: BigIntStats, freshNs: bigint): string | undefined {
  return ctimeNs >= freshNs || mtimeNs >= freshNs ? undefined : `${dev} ${ino} ${mtimeNs} ${ctimeNs}`
}

interface Tree {
  readonly shown: string
  /** Where it is read. */
  readonly place: ByteString
}

/** What of a file tells that its content is another: the daemon compares it as text. */
export function signatureOf(stats: BigIntStats): string {
  return `${stats.size} ${stats.mtimeNs} ${stats.ctimeNs} ${stats.ino} ${stats.mode}`
}

/** Paths are bytes, which Node takes as a buffer; plain ASCII is the same as text and costs less. */
export function nodePath(root: ByteString, path: ByteString): string | Buffer {
  const whole = path === '' ? root : `${root}/${path}`
  // oxlint-disable-next-line no-control-regex -- the whole of ASCII is meant
  return /^[\u0000-\u007f]*$/.test(whole) ? whole : Buffer.from(whole, 'latin1')
}

function namesIn(tree: Tree, directory: ByteString): readonly string[] {
  return guarded(tree, directory, () => readdirSync(nodePath(tree.place, directory), { encoding: 'latin1' }).toSorted())
}

function look(tree: Tree, path: ByteString): BigIntStats {
  return guarded(tree, path, () => lstatSync(nodePath(tree.place, path), { bigint: true }))
}

function entryOf(tree: Tree, path: ByteString, stats: BigIntStats, freshNs: bigint): WireContextEntry {
  const mode = Number(stats.mode) & 0o7777
  const mtimeS = Number(stats.mtimeNs / 1_000_000_000n)
  if (stats.isDirectory()) return [path, 'directory', mode, 0, mtimeS, '', '']
  if (stats.isSymbolicLink()) {
    const link = guarded(tree, path, () => readlinkSync(nodePath(tree.place, path), { encoding: 'latin1' }))
    return [path, 'symlink', mode, 0, mtimeS, '', link]
  }
  if (!stats.isFile())
    throw clientError(
      'client.bad_context',
      `${tree.shown}/${textOfBytes(path)} is a device or a pipe, which cannot go into a build context`,
      { hint: 'Name it in .dockerignore.' },
    )
  const isFresh = stats.ctimeNs >= freshNs || stats.mtimeNs >= freshNs
  return [path, 'file', mode, Number(stats.size), mtimeS, `${signatureOf(stats)}${isFresh ? ` ${freshNs}` : ''}`, '']
}

function guarded<T>(tree: Tree, path: ByteString, read: () => T): T {
  try {
    return read()
  } catch (error) {
    const what = `${tree.shown}${path === '' ? '' : `/${textOfBytes(path)}`}`
    if (systemCodeOf(error) === 'ENOENT' && path !== '')
      throw clientError('client.context_changed', `${what} went away while the build context was listed`, {
        cause: error,
        hint: 'Build again, or name in .dockerignore what other programs write.',
      })
    throw clientError('client.bad_context', `read ${what}: ${systemCodeOf(error) ?? messageOf(error)}`, {
      cause: error,
      hint: 'Name it in .dockerignore if the build does not need it.',
    })
  }
}
