import { createHash, hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { isKind, type Clock } from '#base'
import { EMPTY_BYTES, type ByteString, type TarEntry } from '#oci/tar'

import { indexArchive } from '../context-index.ts'
import { buildError } from '../errors.ts'
import type { Spool } from '../spool.ts'
import { optionsForModule, parseModules, submodulesOf } from './git-modules.ts'
import { readTree, treeEntry } from './git-tree.ts'
import { MAX_REMOTE_BYTES, MAX_SUBMODULE_DEPTH, MAX_SUBMODULES, MAX_TREE_FILES } from './limits.ts'
import type { FetchedTree, FetchOptions, GitSource } from './port.ts'
import { openGit, type Git } from './run-git.ts'

const EMPTY_SHA256 = hash('sha256', '', 'hex')
const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/

export interface GitNeeds {
  readonly clock: Clock
  /** For repositories while they are read. */
  readonly directory: string
}

/** Asks the other end what a ref means. Errors: `build.remote_*`, `build.checksum_mismatch`. */
export async function commitOf(needs: GitNeeds, source: GitSource, options: FetchOptions): Promise<string> {
  if (source.ref !== undefined && COMMIT.test(source.ref)) return checked(source, source.ref)
  await using home = await temporaryHome(needs)
  const git = await openGit(needs.clock, source, options, home.path)
  return checked(source, (await resolveRef(git, source)).commit)
}

function checked(source: GitSource, commit: string): string {
  if (source.commitPrefix === undefined || commit.startsWith(source.commitPrefix)) return commit
  throw buildError('build.checksum_mismatch', `${source.remote} is at ${commit}, not at ${source.commitPrefix}`, {
    hint: 'Find out why it changed before you change the checksum.',
  })
}

/** The commit, and the full name under which it was found. */
async function resolveRef(git: Git, source: GitSource): Promise<{ readonly commit: string; readonly name: string }> {
  const ref = source.ref ?? 'HEAD'
  const text = (await git.run(['ls-remote', '--quiet', '--', source.remote, ref, `${ref}^{}`])).toString('utf8')
  const found = new Map(
    text.split('\n').flatMap((line) => {
      const [commit = '', name = ''] = line.split('\t')
      return COMMIT.test(commit) ? [[name, commit] as const] : []
    }),
  )
  // The order of gitrevisions(7); a tag that is an object of its own names another.
  for (const name of [ref, `refs/${ref}`, `refs/tags/${ref}`, `refs/heads/${ref}`]) {
    const commit = found.get(`${name}^{}`) ?? found.get(name)
    if (commit !== undefined) return { commit, name }
  }
  throw buildError('build.remote_failed', `${source.remote} has no branch or tag ${JSON.stringify(ref)}`, {
    hint: 'A commit is written with all of its digits.',
  })
}

/** One commit without its past, and those of its submodules, as files in the spool. */
export async function checkOut(
  needs: GitNeeds,
  source: GitSource,
  commit: string,
  options: FetchOptions,
  into: Spool,
): Promise<FetchedTree> {
  const left: Left = { modules: MAX_SUBMODULES, files: MAX_TREE_FILES }
  const { entries, sha256 } = await filesOf(needs, { source, commit, options, depth: 0 }, into, left)
  return indexArchive(entries, (entry) => sha256.get(entry) ?? EMPTY_SHA256, 'build.copy_failed')
}

/** What may still come, over all repositories of one tree. */
interface Left {
  modules: number
  files: number
}

interface Wanted {
  readonly source: GitSource
  readonly commit: string
  readonly options: FetchOptions
  readonly depth: number
}

interface Files {
  readonly entries: readonly TarEntry[]
  readonly sha256: ReadonlyMap<TarEntry, string>
}

async function filesOf(needs: GitNeeds, wanted: Wanted, into: Spool, left: Left): Promise<Files> {
  const { source } = wanted
  const { own, modules, mtimeS } = await ownFiles(needs, wanted, into)
  const entries = [...own.entries]
  const sha256 = new Map(own.sha256)
  left.files -= entries.length
  for (const { path, ...module } of modules) {
    left.modules -= 1
    if (wanted.depth >= MAX_SUBMODULE_DEPTH || left.modules < 0 || left.files < 0)
      throw buildError('build.remote_invalid', `${source.remote} has ${tooMuch(wanted, left)}`, {
        hint: 'Write ?submodules=false to leave submodules out.',
      })
    const options = optionsForModule(wanted.options, source, module.source)
    const inner = await filesOf(needs, { ...module, options, depth: wanted.depth + 1 }, into, left)
    entries.push(directory(path, mtimeS))
    for (const entry of inner.entries) {
      const moved = { ...entry, path: `${path}/${entry.path}` as ByteString }
      entries.push(moved)
      const digest = inner.sha256.get(entry)
      if (digest !== undefined) sha256.set(moved, digest)
    }
  }
  return { entries, sha256 }
}

function tooMuch({ depth }: Wanted, { modules }: Left): string {
  if (depth >= MAX_SUBMODULE_DEPTH) return `submodules in submodules, more than ${MAX_SUBMODULE_DEPTH} deep`
  return modules < 0 ? `more than ${MAX_SUBMODULES} submodules` : `more than ${MAX_TREE_FILES} files with its submodules`
}

/** The files of one repository, which is gone when its submodules are fetched. */
async function ownFiles(needs: GitNeeds, { source, commit, options, depth }: Wanted, into: Spool) {
  await using home = await temporaryHome(needs)
  const git = await openGit(needs.clock, source, options, home.path)
  await git.run(['init', '--quiet', '--bare', '--template='])
  await fetchCommit(git, source, commit)
  const { entries, links, mtimeS, sha256Of } = await readTree(git, source, commit, into)
  const modules = source.hasSubmodules && links.length > 0 ? submodulesOf(source, links, await settingsOf(git, commit)) : []
  const sha256 = new Map(entries.map((entry) => [entry, sha256Of(entry)]))
  if (!source.keepsGitDirectory || depth > 0) return { own: { entries, sha256 }, modules, mtimeS }
  await makeWorkable(git, source, commit, home.path)
  const kept = await directoryEntries(home.path, into)
  return { own: { entries: [...entries, ...kept.entries], sha256: new Map([...sha256, ...kept.sha256]) }, modules, mtimeS }
}

/** Read by git, from the object: nothing is included, and nothing of it becomes a setting. */
async function settingsOf(git: Git, commit: string) {
  try {
    return parseModules(await git.run(['config', '--blob', `${commit}:.gitmodules`, '--no-includes', '--null', '--list']))
  } catch (error) {
    // Without the file there are links that lead nowhere.
    if (isKind(error, 'unavailable')) return parseModules(Buffer.alloc(0))
    throw error
  }
}

async function fetchCommit(git: Git, source: GitSource, commit: string): Promise<void> {
  const fetch = async (what: string) =>
    await git.run(['fetch', '--quiet', '--depth=1', '--no-tags', '--no-recurse-submodules', '--', source.remote, what])
  try {
    await fetch(commit)
  } catch (error) {
    // Servers of the older protocol give what has a name, and nothing else.
    if (!isKind(error, 'unavailable') || (source.ref !== undefined && COMMIT.test(source.ref))) throw error
    await fetch((await resolveRef(git, source)).name)
  }
  const found = (await git.run(['rev-parse', '--verify', '--quiet', `${commit}^{commit}`])).toString('latin1').trim()
  if (found !== commit)
    throw buildError('build.remote_failed', `${source.remote} changed while it was fetched`, { hint: 'Build again.' })
}

/** What was fetched into becomes the `.git` of a working tree: no hooks, and settings that we wrote. */
async function makeWorkable(git: Git, source: GitSource, commit: string, home: string): Promise<void> {
  await git.run(['read-tree', commit], { GIT_INDEX_FILE: join(home, 'index') })
  await writeFile(join(home, 'HEAD'), `${commit}\n`)
  await writeFile(
    join(home, 'config'),
    `[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n[remote "origin"]\n\turl = ${source.remote}\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n`,
  )
}

/** Not part of a repository: what we put beside it, and what changes with each fetch. */
const LEFT_OUT: ReadonlySet<string> = new Set(['ssh-settings', 'FETCH_HEAD'])

async function directoryEntries(home: string, into: Spool) {
  const entries: TarEntry[] = [directory('.git', 0)]
  const sha256 = new Map<TarEntry, string>()
  const walk = async (path: string, name: string): Promise<void> => {
    for (const one of (await readdir(path, { withFileTypes: true })).toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const [at, below] = [join(path, one.name), `${name}/${one.name}`]
      if (path === home && LEFT_OUT.has(one.name)) continue
      if (one.isDirectory()) {
        entries.push(directory(below, 0))
        await walk(at, below)
      } else if (one.isFile()) {
        const { size } = await stat(at)
        if (into.sizeBytes + size > MAX_REMOTE_BYTES)
          throw buildError('build.context_too_large', `the repository has more than ${MAX_REMOTE_BYTES} bytes`)
        const digest = createHash('sha256')
        const dataOffset = into.sizeBytes
        for await (const chunk of createReadStream(at) as AsyncIterable<Buffer>) {
          digest.update(chunk)
          await into.append(chunk)
        }
        const entry = treeEntry(below, {
          type: 'file',
          mode: 0o644,
          mtimeS: 0,
          size: into.sizeBytes - dataOffset,
          linkname: EMPTY_BYTES,
          dataOffset,
        })
        entries.push(entry)
        sha256.set(entry, digest.digest('hex'))
      }
    }
  }
  await walk(home, '.git')
  return { entries, sha256 }
}

function directory(path: ByteString | string, mtimeS: number): TarEntry {
  return treeEntry(path, { type: 'directory', mode: 0o755, mtimeS, size: 0, linkname: EMPTY_BYTES, dataOffset: 0 })
}

async function temporaryHome({ directory: parent }: GitNeeds): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(parent, 'git-'))
  return { path, [Symbol.asyncDispose]: async () => await rm(path, { recursive: true, force: true }) }
}
