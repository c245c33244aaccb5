import { parseReference } from '#oci/reference'

import { archiveTree } from './context.ts'
import { buildError } from './errors.ts'
import type { FileTree } from './file-tree.ts'
import type { NamedContext } from './named-contexts.ts'
import type { BuildPorts } from './ports.ts'
import { isRemoteContext, parseRemoteContext, type Downloaded, type FetchOptions, type HttpSource } from './remote/index.ts'
import { treeOfFile } from './remote-step.ts'
import { openSpool, type Spool } from './spool.ts'
import { openArchive } from './unpack-archives.ts'

/**
 * Reads `docker-image://NAME`, `target:STAGE` and addresses of repositories, archives and files; what those hold is fetched at once, and lies on
 * the stack until the build ends. Directories and OCI layouts are sent by the client and have no text. Errors: `build.context_invalid`, `build.unsupported`,
 * `build.remote_*`.
 */
export async function namedContext(
  name: string,
  text: string,
  ports: Pick<BuildPorts, 'remote' | 'decompress' | 'spoolDirectory' | 'random'>,
  options: FetchOptions,
  open: AsyncDisposableStack,
): Promise<NamedContext> {
  const image = /^docker-image:\/\/(.+)$/.exec(text)?.[1]
  if (image !== undefined) {
    parseReference(image)
    return { kind: 'image', reference: image }
  }
  const stage = /^target:(.+)$/.exec(text)?.[1]
  if (stage !== undefined) return { kind: 'stage', name: stage }
  if (text.startsWith('oci-layout://'))
    throw buildError(
      'build.unsupported',
      `the build context ${name}=${text}: a layout is sent by the client, and not looked for here`,
      {
        hint: `Send the directory, or load it with docker load and write ${name}=docker-image://NAME.`,
      },
    )
  if (!isRemoteContext(text))
    throw buildError(
      'build.context_invalid',
      `the build context ${name}=${JSON.stringify(text.slice(0, 200))} is nothing known`,
      {
        hint: 'Write docker-image://NAME, target:STAGE, an address or a directory.',
      },
    )
  const source = parseRemoteContext(text, `the build context ${name}`)
  const spool = open.use(await openSpool(ports.spoolDirectory, ports.random))
  if (source.kind === 'http') return { kind: 'tree', tree: await downloadedTree(source, ports, options, open) }
  const commit = await ports.remote.commitOf(source, options)
  return { kind: 'tree', tree: archiveTree(await ports.remote.checkOut(source, commit, options, spool), spool) }
}

/** An archive is what it holds; anything else is a directory with one file. */
async function downloadedTree(
  source: HttpSource,
  ports: Pick<BuildPorts, 'remote' | 'decompress' | 'spoolDirectory' | 'random'>,
  options: FetchOptions,
  open: AsyncDisposableStack,
): Promise<FileTree> {
  const found = treeOfFile(source, await downloadedFile(source, ports, options, open))
  return (await openArchive(found, ports, open)) ?? found.tree
}

/** A file as it is now, whatever was known of it. */
export async function downloadedFile(
  source: HttpSource,
  ports: Pick<BuildPorts, 'remote' | 'spoolDirectory' | 'random'>,
  options: FetchOptions,
  open: AsyncDisposableStack,
): Promise<Downloaded & { readonly spool: Spool }> {
  const spool = open.use(await openSpool(ports.spoolDirectory, ports.random))
  const file = await ports.remote.download(source, options, spool)
  if (file !== undefined) return { ...file, spool }
  throw buildError('build.remote_failed', `${source.url} answers that it did not change, and was not asked that`)
}

/** For a directory that is empty. */
