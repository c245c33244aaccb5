import { hash } from 'node:crypto'

import { bytesOfText, EMPTY_BYTES, type ByteString } from '#oci/tar'

import { archiveTree } from './context.ts'
import { buildError } from './errors.ts'
import { directoryEntry, type FileTree, type TreeEntry } from './file-tree.ts'
import { isoTime } from './iso-time.ts'
import { remoteKey } from './keys.ts'
import type { CacheRecord } from './ports.ts'
import type { Downloaded, FetchOptions, GitSource, HttpSource, Validators } from './remote/index.ts'
import { selectSources, type SelectedSource } from './select-sources.ts'
import { openSpool, type Spool } from './spool.ts'
import type { CopyAction } from './steps.ts'
import type { StepContext } from './steps-context.ts'

/** What an address holds: told by its content, and fetched only where a step has to be done. */
export interface RemoteContent {
  /** Equal content, equal text. */
  readonly identity: string
  readonly isFile: boolean
  select(): Promise<readonly SelectedSource[]>
}

/** Asks what the addresses of a step hold. Errors: `build.remote_*`, `build.checksum_mismatch`. */
export async function remoteContents(build: StepContext, action: CopyAction): Promise<readonly RemoteContent[]> {
  const contents: RemoteContent[] = []
  for (const source of action.remotes)
    contents.push(source.kind === 'http' ? await httpContent(build, action, source) : await gitContent(build, action, source))
  return contents
}

function optionsOf(build: StepContext, action: CopyAction): FetchOptions {
  return {
    isHostNetworkAllowed: action.isHostNetworkAllowed,
    secrets: build.secrets,
    sshAgent: build.sshAgents.get('default'),
    signal: build.signal,
  }
}

async function httpContent(build: StepContext, action: CopyAction, source: HttpSource): Promise<RemoteContent> {
  const { fetched } = build.context
  const options = optionsOf(build, action)
  const sha256 =
    source.sha256 ?? (await fetched.once(`sha256 of ${source.url}`, async () => await digestNow(build, source, options)))
  const select = async () => {
    const file = await fetched.once(source.url, async (open) => await downloaded(build, source, options, open))
    if (file.sha256 === sha256) return [treeOfFile(source, file)]
    throw buildError('build.remote_failed', `${source.url} changed while the build ran`, { hint: 'Build again.' })
  }
  return { identity: JSON.stringify(['http', source.name, sha256]), isFile: true, select }
}

interface DownloadedFile extends Downloaded {
  readonly spool: Spool
}

/** The digest of what the address holds now: when it did not change since it was last asked, nothing is downloaded. */
async function digestNow(build: StepContext, source: HttpSource, options: FetchOptions): Promise<string> {
  const { cache } = build.ports
  const key = remoteKey(source.url)
  const known = build.isCacheUsed ? remembered(await cache.get(key)) : undefined
  if (known !== undefined && (await isUnchanged(build, source, options, known))) return known.sha256
  const file = await build.context.fetched.once(source.url, async (open) => await downloaded(build, source, options, open))
  const { sha256, etag, lastModified } = file
  if (etag !== '' || lastModified !== '')
    await cache.put(key, { kind: 'remote', sha256, etag, lastModified, created: isoTime(undefined, build.ports.clock.nowMs()) })
  return sha256
}

/** When it did change, what came with the answer is what the build goes on with. */
async function isUnchanged(build: StepContext, source: HttpSource, options: FetchOptions, known: Validators): Promise<boolean> {
  const { remote, spoolDirectory, random } = build.ports
  await using unused = new AsyncDisposableStack()
  const spool = unused.use(await openSpool(spoolDirectory, random))
  const answer = await remote.download(source, options, spool, known)
  if (answer === undefined) return true
  await build.context.fetched.once(source.url, async (open) => {
    open.use(unused.move())
    return await Promise.resolve({ ...answer, spool })
  })
  return false
}

function remembered(record: CacheRecord | undefined) {
  return record?.kind === 'remote' ? record : undefined
}

async function downloaded(
  build: StepContext,
  source: HttpSource,
  options: FetchOptions,
  open: AsyncDisposableStack,
): Promise<DownloadedFile> {
  const { remote, spoolDirectory, random } = build.ports
  const spool = open.use(await openSpool(spoolDirectory, random))
  const answer = await remote.download(source, options, spool)
  if (answer === undefined)
    throw buildError('build.remote_failed', `${source.url} answers that it did not change, and was not asked that`)
  return { ...answer, spool }
}

/** Without a name the file is given one that never shows: its destination is its whole path. */
const NAMELESS = 'file'

/** As the Dockerfile reference has it: for root alone to read, and as old as the other end says. */
export function treeOfFile(source: HttpSource, file: DownloadedFile): SelectedSource {
  const name = bytesOfText(source.name === '' ? NAMELESS : source.name)
  const entry: TreeEntry = {
    type: 'file',
    mode: 0o600,
    uid: 0,
    gid: 0,
    sizeBytes: file.sizeBytes,
    mtimeS: file.mtimeS,
    linkname: EMPTY_BYTES,
    xattrs: [],
  }
  const isIt = (path: ByteString) => path === name
  const root = directoryEntry({ uid: 0, gid: 0, mtimeS: file.mtimeS })
  const tree: FileTree = {
    lstat: async (path) => (path === '' ? root : isIt(path) ? entry : undefined),
    list: async (path) => (path === '' ? [name] : []),
    read: (path) => file.spool.read(0, isIt(path) ? file.sizeBytes : 0),
    sha256: (path) => (isIt(path) ? file.sha256 : undefined),
  }
  return { name, tree, entry, path: name, inside: [] }
}

async function gitContent(build: StepContext, action: CopyAction, source: GitSource): Promise<RemoteContent> {
  const { fetched } = build.context
  const options = optionsOf(build, action)
  const { remote, spoolDirectory, random } = build.ports
  const name = JSON.stringify(source)
  const commit = await fetched.once(`commit of ${name}`, async () => await remote.commitOf(source, options))
  const select = async () => {
    const tree = await fetched.once(name, async (open) => {
      const spool = open.use(await openSpool(spoolDirectory, random))
      return archiveTree(await remote.checkOut(source, commit, options, spool), spool)
    })
    return await selectSources(tree, { sources: ['/'], excludes: action.excludes, keepsParents: false })
  }
  const { subdir, keepsGitDirectory, hasSubmodules } = source
  return { identity: JSON.stringify(['git', commit, subdir, keepsGitDirectory, hasSubmodules]), isFile: false, select }
}

/** What stands for a step's sources in its key. */
export function joinedContent(local: string | undefined, remotes: readonly RemoteContent[], action: CopyAction): string {
  if (remotes.length === 0 && local !== undefined) return local
  const { excludes, unpacksRemotes } = action
  return hash('sha256', JSON.stringify([local ?? '', remotes.map(({ identity }) => identity), excludes, unpacksRemotes]), 'hex')
}
