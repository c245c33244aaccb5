import { bytesOfText, EMPTY_BYTES, type TarEntry } from '#oci/tar'

import { contextOf, type BuildContext } from './context.ts'
import { indexArchive, type ArchiveIndex } from './context-index.ts'
import { buildError } from './errors.ts'
import { MAX_DOCKERFILE_BYTES } from './limits.ts'
import { downloadedFile } from './open-named-context.ts'
import type { BuildPorts } from './ports.ts'
import { parseRemoteContext, type FetchOptions, type GitSource, type HttpSource } from './remote/index.ts'
import { treeOfFile } from './remote-step.ts'
import { openSpool, type Spool } from './spool.ts'
import { unpackedArchive } from './unpack-archives.ts'

export interface RemoteContextOptions extends FetchOptions {
  /** In the repository or archive, below the sub-directory that the address names. */
  readonly dockerfilePath: string
  /** The Dockerfile itself, where it does not come from there. */
  readonly dockerfileText?: string | undefined
}

type Needs = Pick<BuildPorts, 'remote' | 'decompress' | 'spoolDirectory' | 'random'>

interface Fetched {
  readonly index: ArchiveIndex
  readonly spool: Spool
  /** Where the Dockerfile lies, when the other end alone says so. */
  readonly dockerfilePath?: string
}

/**
 * What an address holds as the context of a build: the files of a commit (`#ref:subdir`), those of an archive, or a text, which is the Dockerfile
 * of a context with nothing else. Errors: `build.context_*`, `build.dockerfile_not_found`, `build.remote_*`, `build.unsupported`.
 */
export async function remoteContext(text: string, ports: Needs, options: RemoteContextOptions): Promise<BuildContext> {
  await using open = new AsyncDisposableStack()
  const source = parseRemoteContext(text, 'the build context')
  const found =
    source.kind === 'http' ? await downloaded(source, ports, options, open) : await checkedOut(source, ports, options, open)
  const context = await contextOf(
    found.index,
    found.spool,
    found.dockerfilePath ?? options.dockerfilePath,
    options.dockerfileText,
  )
  const kept = open.move()
  return {
    ...context,
    [Symbol.asyncDispose]: async () => {
      await context.fetched[Symbol.asyncDispose]()
      await kept.disposeAsync()
    },
  }
}

async function checkedOut(source: GitSource, ports: Needs, options: FetchOptions, open: AsyncDisposableStack): Promise<Fetched> {
  const commit = await ports.remote.commitOf(source, options)
  const spool = open.use(await openSpool(ports.spoolDirectory, ports.random))
  return { index: await ports.remote.checkOut(source, commit, options, spool), spool }
}

async function downloaded(
  source: HttpSource,
  ports: Needs,
  options: RemoteContextOptions,
  open: AsyncDisposableStack,
): Promise<Fetched> {
  const file = await downloadedFile(source, ports, options, open)
  const archive = await unpackedArchive(treeOfFile(source, file), ports, open)
  if (archive !== undefined) return archive
  const entry = dockerfileEntry(file.sizeBytes, file.mtimeS)
  if (file.sizeBytes > MAX_DOCKERFILE_BYTES || (await hasZero(file.spool.read(0, file.sizeBytes))))
    throw buildError('build.context_invalid', `${source.url} is neither an archive nor the text of a Dockerfile`, {
      hint: 'Archives are tar, plain or compressed with gzip, zstd, xz or bzip2.',
    })
  return { index: indexArchive([entry], () => file.sha256), spool: file.spool, dockerfilePath: 'Dockerfile' }
}

/** No text has a zero byte, and hardly a binary file none. */
async function hasZero(chunks: AsyncIterable<Buffer>): Promise<boolean> {
  for await (const chunk of chunks) if (chunk.includes(0)) return true
  return false
}

function dockerfileEntry(size: number, mtimeS: number): TarEntry {
  const nobody = { uid: 0, gid: 0, mtimeNs: 0, devMajor: 0, devMinor: 0, xattrs: [], headerOffset: 0, linkname: EMPTY_BYTES }
  return { ...nobody, path: bytesOfText('Dockerfile'), type: 'file', mode: 0o644, size, mtimeS, dataOffset: 0 }
}
