import { lstatSync, readdirSync, watch, type FSWatcher } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'

import { type Clock, messageOf, systemCodeOf } from '#base'

import { cliError } from '../errors.ts'
import type { Change } from './plan.ts'

export interface TreeWatchOptions {
  /** Absolute, of a directory or a file. */
  readonly path: string
  /** Directories that need not be entered, by their path below. */
  readonly canSkip: (relativePath: string) => boolean
  readonly clock: Clock
  readonly onChanges: (changes: readonly Change[]) => void
  /** The watch goes on, perhaps without something. */
  readonly onTrouble: (error: unknown) => void
}

/** Editors and compilers write in bursts: what comes within this time goes together. */
const QUIET_MS = 20
/** But a burst without an end is not waited for. */
const LONGEST_MS = 250
/** Each directory is one watch of the kernel; more are somebody's node_modules. */
const MAX_DIRECTORIES = 50_000

interface Known {
  readonly watcher: FSWatcher
  /** What each name was when it was looked at last. */
  entries: ReadonlyMap<string, string>
}

/**
 * Tells what changes below a path: the kernel says in which directory, and comparing that directory with what it was says what, so that no
 * event is misread and lost ones are made up for by the next. Directories that come are entered. Errors: `cli.failed`.
 */
export function watchTree(options: TreeWatchOptions): Disposable {
  const { path: root, clock } = options
  const known = new Map<string, Known>()
  const dirty = new Set<string>()
  const isFile = lstatSync(root, { throwIfNoEntry: false })?.isDirectory() !== true
  const top = isFile ? dirname(root) : root
  const concerns = (name: string) => !isFile || name === basename(root)
  let timer: Disposable | undefined
  let dirtySinceMs = 0

  const touch = (directory: string) => {
    const nowMs = clock.monotonicMs()
    if (dirty.size === 0) dirtySinceMs = nowMs
    dirty.add(directory)
    timer?.[Symbol.dispose]()
    timer = clock.after(Math.max(0, Math.min(QUIET_MS, dirtySinceMs + LONGEST_MS - nowMs)), flush)
  }
  const enter = (directory: string): ReadonlyMap<string, string> => {
    if (known.size >= MAX_DIRECTORIES)
      throw cliError('cli.failed', `watch ${root}: it has more than ${MAX_DIRECTORIES} directories`, {
        hint: 'Leave some out with "ignore" or .dockerignore.',
      })
    // First the watch and then the look: what changes in between is seen by one of them.
    const watcher = watched(directory, () => touch(directory))
    watcher.on('error', () => touch(directory))
    const entries = look(directory, concerns)
    known.set(directory, { watcher, entries })
    return entries
  }
  const enterAll = (directory: string, onEntry: (path: string) => void) => {
    const stack = [directory]
    for (let next = stack.pop(); next !== undefined; next = stack.pop())
      for (const [name, signature] of enter(next)) {
        const path = join(next, name)
        onEntry(path)
        if (!isFile && signature === DIRECTORY && !options.canSkip(relative(root, path))) stack.push(path)
      }
  }
  const leave = (directory: string) => {
    for (const [path, { watcher }] of known)
      if (path === directory || path.startsWith(`${directory}/`)) {
        watcher.close()
        known.delete(path)
      }
  }
  const compare = (directory: string, changes: Change[]) => {
    const before = known.get(directory)
    if (before === undefined) return
    const now = look(directory, concerns)
    const { entries } = before
    before.entries = now
    for (const [name, signature] of entries) {
      const path = join(directory, name)
      const isGone = !now.has(name)
      if (signature === DIRECTORY && now.get(name) !== DIRECTORY) leave(path)
      if (isGone) changes.push({ path, isGone })
    }
    for (const [name, signature] of now) {
      if (entries.get(name) === signature) continue
      const path = join(directory, name)
      changes.push({ path, isGone: false })
      const isNew = signature === DIRECTORY && !isFile && !options.canSkip(relative(root, path))
      if (isNew) enterAll(path, (found) => changes.push({ path: found, isGone: false }))
    }
  }
  const flush = () => {
    timer = undefined
    const changes: Change[] = []
    const directories = [...dirty]
    dirty.clear()
    for (const directory of directories)
      try {
        compare(directory, changes)
      } catch (error) {
        options.onTrouble(error)
      }
    if (changes.length > 0) options.onChanges(changes)
  }

  const close = () => {
    timer?.[Symbol.dispose]()
    leave(top)
  }
  try {
    enterAll(top, () => undefined)
  } catch (error) {
    close()
    throw error
  }
  return { [Symbol.dispose]: close }
}

const DIRECTORY = 'directory'

/** What is in a directory; nothing when it has gone. */
function look(directory: string, concerns: (name: string) => boolean): ReadonlyMap<string, string> {
  const entries = new Map<string, string>()
  let names: readonly string[] = []
  try {
    names = readdirSync(directory)
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR'].includes(systemCodeOf(error) ?? '')) throw unreadable(directory, error)
  }
  for (const name of names) {
    if (!concerns(name)) continue
    const stats = lstatSync(join(directory, name), { bigint: true, throwIfNoEntry: false })
    if (stats === undefined || stats.isSocket()) continue
    const signature = `${stats.size} ${stats.mtimeNs} ${stats.ctimeNs} ${stats.ino}`
    entries.set(name, stats.isDirectory() ? DIRECTORY : signature)
  }
  return entries
}

function watched(directory: string, onEvent: () => void): FSWatcher {
  try {
    return watch(directory, { persistent: true }, onEvent)
  } catch (error) {
    if (systemCodeOf(error) === 'ENOSPC' || systemCodeOf(error) === 'EMFILE')
      throw cliError('cli.failed', `watch ${directory}: the kernel has no more watches for this user`, {
        cause: error,
        hint: 'Raise fs.inotify.max_user_watches, or leave directories out with "ignore".',
      })
    throw unreadable(directory, error)
  }
}

function unreadable(directory: string, error: unknown): Error {
  return cliError('cli.failed', `watch ${directory}: ${systemCodeOf(error) ?? messageOf(error)}`, { cause: error })
}
