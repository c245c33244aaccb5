import { during, type Random } from '#base'
import { ignoreRules, insideRoot, parseIgnoreFile, type IgnoreRules } from '#oci/patterns'
import { bytesOfText, type ByteString } from '#oci/tar'

import { childrenOf, indexArchive, withoutIgnored, type ArchiveIndex } from './context-index.ts'
import { buildError } from './errors.ts'
import { fetchedSources, type FetchedSources } from './fetched-sources.ts'
import type { FileTree } from './file-tree.ts'
import { MAX_CONTEXT_BYTES, MAX_DOCKERFILE_BYTES } from './limits.ts'
import type { NamedContexts } from './named-contexts.ts'
import { receiveArchive } from './receive-archive.ts'
import type { Decompress } from './remote/index.ts'
import { readSmallFile } from './resolve-path.ts'
import { openSpool, type Spool } from './spool.ts'

/** What a build reads: files by path, never unpacked on the host. Dispose of it after the build. */
export interface BuildContext extends AsyncDisposable {
  /** Without what the ignore file names. */
  readonly tree: FileTree
  readonly dockerfile: { readonly name: string; readonly text: string }
  readonly fileCount: number
  /** Whether the ignore file leaves a path out. */
  readonly isIgnored: (path: string) => boolean
  /** Contexts beside this one, by name. */
  readonly named: NamedContexts
  /** What steps fetch from elsewhere stays until the build ends, and an address is asked once. */
  readonly fetched: FetchedSources
}

export interface ReceiveOptions {
  /** Inside the context; `Dockerfile` by default. */
  readonly dockerfilePath?: string
  /** For contexts in xz and bzip2. */
  readonly decompress?: Decompress
  readonly spoolDirectory: string
  readonly random: Random
}

/**
 * Takes a context as the Docker API sends it: a tar stream, plain or compressed. `.dockerignore` (or `NAME.dockerignore` beside the
 * Dockerfile) is applied here too, so that the client need not. Errors: `build.context_*`, `build.dockerfile_not_found`, `tar.*`.
 */
export async function receiveContext(tar: AsyncIterable<Buffer>, options: ReceiveOptions): Promise<BuildContext> {
  const spool = await openSpool(options.spoolDirectory, options.random)
  try {
    const received = await receiveArchive(tar, spool, {
      what: 'the build context',
      maxBytes: MAX_CONTEXT_BYTES,
      decompress: options.decompress,
    })
    const index = indexArchive(received.entries, received.sha256Of)
    return await contextOf(index, spool, options.dockerfilePath ?? 'Dockerfile')
  } catch (error) {
    await spool[Symbol.asyncDispose]()
    throw error
  }
}

/** A context whose content lies in a spool, which goes with it. `.dockerignore` is applied. `givenText`: the Dockerfile, from elsewhere. */
export async function contextOf(
  index: ArchiveIndex,
  spool: Spool,
  dockerfilePath: string,
  givenText?: string,
): Promise<BuildContext> {
  return contextOfLook(await lookAtContext(index, spool, dockerfilePath, givenText), spool)
}

/** What of a context is the same as long as its files are, wherever their content lies by then. */
export interface ContextLook {
  readonly dockerfile: BuildContext['dockerfile']
  readonly rules: IgnoreRules
  readonly kept: ArchiveIndex
  readonly found: FoundInTree
}

export async function lookAtContext(
  index: ArchiveIndex,
  spool: Pick<Spool, 'read'>,
  name: string,
  givenText?: string,
): Promise<ContextLook> {
  const everything = archiveTree(index, spool)
  const text = givenText ?? (await readDockerfile(everything, name))
  const rules = await readIgnoreRules(everything, name)
  return { dockerfile: { name, text }, rules, kept: withoutIgnored(index, rules), found: { digests: new Map() } }
}

/** The spool goes with it. */
export function contextOfLook({ dockerfile, rules, kept, found }: ContextLook, spool: Spool): BuildContext {
  const fetched = fetchedSources()
  return {
    tree: archiveTree(kept, spool, found),
    dockerfile,
    fileCount: kept.size,
    isIgnored: rules.isIgnored,
    named: new Map(),
    fetched,
    [Symbol.asyncDispose]: async () => {
      await fetched[Symbol.asyncDispose]()
      await spool[Symbol.asyncDispose]()
    },
  }
}

/** What was worked out about an index, for every tree that is made of it. */
export interface FoundInTree {
  children?: ReadonlyMap<ByteString, readonly ByteString[]>
  /** Of selections of its files. */
  readonly digests: Map<string, string>
}

/** An indexed archive as a tree whose files are read from the spool. */
export function archiveTree(
  index: ArchiveIndex,
  spool: Pick<Spool, 'read'>,
  found: FoundInTree = { digests: new Map() },
): FileTree {
  return {
    digests: found.digests,
    lstat: async (path) => index.get(path),
    list: async (path) => {
      found.children ??= childrenOf(index)
      return found.children.get(path) ?? []
    },
    read: async function* (path) {
      const entry = index.get(path)
      if (entry?.content !== undefined) yield* spool.read(entry.content.offset, entry.sizeBytes)
    },
    sha256: (path) => index.get(path)?.content?.sha256,
  }
}

async function readDockerfile(tree: FileTree, name: string): Promise<string> {
  const found = await readSmallFile(tree, bytesOfText(insideRoot(name)), MAX_DOCKERFILE_BYTES)
  if (found === undefined)
    throw buildError('build.dockerfile_not_found', `the build context has no file ${JSON.stringify(name)}`, {
      hint: 'Name the Dockerfile with -f, relative to the context.',
    })
  return found.toString('utf8')
}

async function readIgnoreRules(tree: FileTree, dockerfile: string) {
  for (const name of [`${insideRoot(dockerfile)}.dockerignore`, '.dockerignore']) {
    const text = await readSmallFile(tree, bytesOfText(name), MAX_DOCKERFILE_BYTES)
    if (text === undefined) continue
    try {
      return ignoreRules(parseIgnoreFile(text.toString('utf8')))
    } catch (error) {
      throw during(`read ${name}`, error)
    }
  }
  return ignoreRules([])
}
