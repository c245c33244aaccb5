import { hash } from 'node:crypto'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { rm, utimes } from 'node:fs/promises'
import { join } from 'node:path'

import { keyedLocks, type Clock, type Random } from '#base'
import { textOfBytes, type TarEntry } from '#oci/tar'

import { archiveTree, contextOfLook, lookAtContext, type ContextLook } from '../context.ts'
import { indexArchive, type ArchiveIndex } from '../context-index.ts'
import { buildError } from '../errors.ts'
import { MAX_CONTEXT_BYTES } from '../limits.ts'
import { spoolOn, type Spool } from '../spool.ts'
import { compacted, openPack, readPack, writeIndex, type Pack, type PackedFile } from './pack.ts'
import type { ContextEntry, KeptContext, KeptContexts } from './port.ts'
import { recentContexts, type RecentContext } from './recent.ts'
import { takeBodies, type TakenBody } from './take-bodies.ts'

export interface KeptContextsNeeds {
  readonly directory: string
  readonly clock: Clock
  readonly random: Random
}

/** More builds than this between their two requests are no honest use. */
const MAX_SESSIONS = 1000
/** Between the two requests of one build a client reads files, and nothing else. */
const SESSION_MS = 600_000
/** Dockerfiles of one directory. */
const MAX_LOOKS = 8
/** Indices in memory; others are read again. */
const MAX_KNOWN = 8
/** As the kernel's limit for a tree that one can still work with. */
const MAX_ENTRIES = 1_000_000
/** Contexts kept by default; those not used for longest go first. */
const KEPT_BYTES = 4 * 1024 ** 3

async function* nothing(): AsyncGenerator<Buffer> {}

interface Session {
  readonly key: string
  readonly entries: readonly ContextEntry[]
  readonly wanted: readonly number[]
  /** Of the pack that was compared with. */
  readonly generation: string
  readonly beganMs: number
}

export function createKeptContexts({ directory, clock, random }: KeptContextsNeeds): KeptContexts {
  const sessions = new Map<string, Session>()
  const locks = keyedLocks()
  // This process alone writes packs: what it has read once is not read again.
  const known = new Map<string, Pack>()
  const packOf = async (home: string): Promise<Pack> => known.get(home) ?? remember(home, await readPack(home))
  const remember = (home: string, pack: Pack): Pack => {
    known.delete(home)
    known.set(home, pack)
    const [oldest] = known.keys()
    if (known.size > MAX_KNOWN && oldest !== undefined) known.delete(oldest)
    return pack
  }
  const recents = recentContexts(clock)
  const homeOf = (key: string) => join(directory, hash('sha256', key, 'hex'))
  const dropOld = () => {
    for (const [name, { beganMs }] of sessions)
      if (sessions.size >= MAX_SESSIONS || clock.monotonicMs() - beganMs > SESSION_MS) sessions.delete(name)
  }
  const discard = async (home: string): Promise<void> => {
    known.delete(home)
    recents.forget(home)
    await rm(home, { recursive: true, force: true })
  }
  const prune = async (keepBytes: number): Promise<number> => {
    const kept = listKept(directory)
    let total = kept.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    let removedBytes = 0
    for (const { path, sizeBytes } of kept.toSorted((a, b) => a.usedMs - b.usedMs)) {
      if (total <= keepBytes) break
      await discard(path)
      total -= sizeBytes
      removedBytes += sizeBytes
    }
    return removedBytes
  }
  /** What was compared, with what came of it: given to `use`, which owns the spool when it succeeds. */
  const take = async <T>(
    name: string,
    bodies: AsyncIterable<Buffer>,
    use: (files: PackedTree & Pick<RecentContext, 'looks'>, session: Session, pack: Pack) => Promise<T>,
  ): Promise<T> => {
    const session = sessions.get(name)
    sessions.delete(name)
    if (session === undefined)
      throw buildError('build.session_unknown', `the build session ${JSON.stringify(name.slice(0, 64))} is not known`, {
        hint: 'Compare the context again: a session is good for one build, and for ten minutes.',
      })
    const home = homeOf(session.key)
    return await locks.run(home, async () => {
      const pack = await packOf(home)
      const wanted = new Set(session.wanted)
      const recent = wanted.size > 0 ? undefined : recents.get(home, session.entries, pack.files)
      // What was compared with may have been written anew or removed since: then the answer is no longer true.
      const isMissing = recent === undefined && session.entries.some((entry, index) => !isKept(entry, pack) && !wanted.has(index))
      if (pack.generation !== session.generation || isMissing)
        throw buildError('build.session_unknown', 'another build of the same directory came between', { hint: 'Build again.' })
      const received = await receive(home, session, pack, bodies, recent)
      try {
        remember(home, received.pack)
        recents.set(home, received.recent)
        await utimes(home, new Date(clock.nowMs()), new Date(clock.nowMs()))
        await prune(KEPT_BYTES)
        return await use({ ...received.tree, looks: received.recent.looks }, session, received.pack)
      } catch (error) {
        await received.tree.spool[Symbol.asyncDispose]()
        throw error
      }
    })
  }
  const begin = (session: Session): string => {
    const name = random.bytes(16).toString('hex')
    sessions.set(name, session)
    return name
  }
  return {
    compare: async (key, entries) => {
      if (entries.length > MAX_ENTRIES)
        throw buildError('build.context_too_large', `the build context has ${entries.length} files, more than ${MAX_ENTRIES}`, {
          hint: 'Name what the build does not need in .dockerignore.',
        })
      for (const entry of entries) checkPath(entry)
      dropOld()
      const home = homeOf(key)
      const pack = await packOf(home)
      const isRecent = recents.get(home, entries, pack.files) !== undefined
      const wanted = isRecent ? [] : entries.flatMap((entry, index) => (isKept(entry, pack) ? [] : [index]))
      const session = begin({ key, entries, wanted, generation: pack.generation, beganMs: clock.monotonicMs() })
      return { session, wanted }
    },
    receive: async (name, bodies, { dockerfilePath }) =>
      await take(name, bodies, async ({ index, spool, looks }) => {
        const look = looks.get(dockerfilePath) ?? (await lookAtContext(index, spool, dockerfilePath))
        if (looks.size < MAX_LOOKS) looks.set(dockerfilePath, look)
        return contextOfLook(look, spool)
      }),
    store: async (name, bodies) =>
      await take(name, bodies, async ({ spool }, { key, entries }, { generation }) => {
        await spool[Symbol.asyncDispose]()
        return begin({ key, entries, wanted: [], generation, beganMs: clock.monotonicMs() })
      }),
    files: async (name) =>
      await take(name, nothing(), async ({ index, spool }) => {
        const tree = archiveTree(index, spool)
        return await Promise.resolve({ tree, [Symbol.asyncDispose]: async () => await spool[Symbol.asyncDispose]() })
      }),
    list: () => listKept(directory),
    remove: async (id) => {
      const found = listKept(directory).find((one) => one.id === id)
      if (found !== undefined) await locks.run(found.path, async () => await discard(found.path))
      return found !== undefined
    },
    prune,
  }
}

function isKept(entry: ContextEntry, { files }: Pack): boolean {
  return entry.type !== 'file' || files.get(entry.path)?.signature === entry.signature
}

/** Files that lie in an open pack. */
interface PackedTree {
  readonly index: ArchiveIndex
  readonly spool: Spool
}

/** Puts what came into the pack; gives its files, and the pack as it is now. */
async function receive(
  home: string,
  { entries, wanted }: Session,
  pack: Pack,
  bodies: AsyncIterable<Buffer>,
  known: RecentContext | undefined,
): Promise<{ readonly tree: PackedTree; readonly pack: Pack; readonly recent: RecentContext }> {
  const file = await openPack(home, pack)
  try {
    const options = { count: wanted.length, startByte: pack.sizeBytes, maxBytes: MAX_CONTEXT_BYTES }
    const taken = await takeBodies(bodies, file, options)
    if (known !== undefined) return { tree: { index: known.index, spool: spoolOn(file, pack.sizeBytes) }, pack, recent: known }
    const next = withTaken(pack, entries, new Map(wanted.map((index, at) => [index, taken[at]])))
    const hasChanged = wanted.length > 0 || next.files.size !== pack.files.size
    if (hasChanged) await writeIndex(home, next)
    const index = indexArchive(
      entries.map((entry) => tarEntryOf(entry, next.files.get(entry.path))),
      ({ path }) => next.files.get(path)?.sha256 ?? '',
    )
    const spool = spoolOn(file, next.sizeBytes)
    const after = hasChanged ? await compacted(home, next) : next
    const recent = { entries, files: next.files, index, looks: new Map<string, ContextLook>() }
    return { tree: { index, spool }, pack: after, recent }
  } catch (error) {
    await file.close()
    throw error
  }
}

function withTaken(pack: Pack, entries: readonly ContextEntry[], taken: ReadonlyMap<number, TakenBody | undefined>): Pack {
  const files = new Map<string, PackedFile>()
  for (const [index, { type, path, signature }] of entries.entries()) {
    const content = taken.get(index) ?? pack.files.get(path)
    if (type === 'file' && content !== undefined) files.set(path, { ...content, signature })
  }
  const ends = [...taken.values()].map((body) => (body === undefined ? 0 : body.offset + body.sizeBytes))
  return { files, generation: pack.generation, sizeBytes: Math.max(pack.sizeBytes, ends.at(-1) ?? 0) }
}

/** Paths are names in a tree of ours, and led nowhere on the host even if they were not checked. */
function checkPath({ path }: ContextEntry): void {
  const isClean = path === '' || path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
  if (isClean && !path.includes('\0')) return
  throw buildError('build.context_invalid', `the build context has the path ${JSON.stringify(textOfBytes(path).slice(0, 200))}`)
}

/** As the entry of an archive, which is what the index of a context is made from. */
function tarEntryOf(entry: ContextEntry, content: PackedFile | undefined): TarEntry {
  const { path, type, mode, mtimeS, linkname } = entry
  return {
    path,
    type,
    mode: mode & 0o7777,
    uid: 0,
    gid: 0,
    size: content?.sizeBytes ?? 0,
    mtimeS,
    mtimeNs: 0,
    linkname,
    devMajor: 0,
    devMinor: 0,
    xattrs: [],
    dataOffset: content?.offset ?? 0,
    headerOffset: 0,
  }
}

/** By the sizes of the packs: indices of large contexts take a while to read, and are small beside them. */
function listKept(directory: string): readonly (KeptContext & { readonly path: string })[] {
  if (!existsSync(directory)) return []
  return readdirSync(directory).flatMap((id) => {
    const path = join(directory, id)
    const stats = statSync(path, { throwIfNoEntry: false })
    if (stats === undefined) return []
    const packs = readdirSync(path).filter((name) => name.startsWith('pack.'))
    const sizes = packs.map((name) => statSync(join(path, name), { throwIfNoEntry: false })?.size ?? 0)
    return [{ id, path, usedMs: stats.mtimeMs, sizeBytes: sizes.reduce((sum, size) => sum + size, 0) }]
  })
}
