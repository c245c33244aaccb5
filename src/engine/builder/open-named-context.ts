import { parseReference } from '#oci/reference'

import { archiveTree } from './context.ts'
import { buildError } from './errors.ts'
import type { FileTree } from './file-tree.ts'
import type { NamedContext } from './named-contexts.ts'
import type { BuildPorts } from './ports.ts'
import { isRemote, parseRemote, type FetchOptions, type HttpSource } from './remote/index.ts'
import { treeOfFile } from './remote-step.ts'
import { openSpool } from './spool.ts'
import { openArchive } from './unpack-archives.ts'

/** Named in messages as what it is. */
const PLACE = { file: '--build-context', line: 1 }

/**
 * Reads `docker-image://NAME`, `target:STAGE` and addresses of repositories, archives and files; what those hold is fetched at once, and lies on
 * the stack until the build ends. Directories are sent by the client and have no text. Errors: `build.context_invalid`, `build.unsupported`,
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
    throw buildError('build.unsupported', `the build context ${name}=${text}: OCI layouts are not supported as contexts`, {
      hint: `Load it with docker load, and write ${name}=docker-image://NAME.`,
    })
  if (!isRemote(text))
    throw buildError(
      'build.context_invalid',
      `the build context ${name}=${JSON.stringify(text.slice(0, 200))} is nothing known`,
      {
        hint: 'Write docker-image://NAME, target:STAGE, an address or a directory.',
      },
    )
  const source = parseRemote(text, { checksum: undefined, keepsGitDirectory: false }, PLACE)
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
  const spool = open.use(await openSpool(ports.spoolDirectory, ports.random))
  const file = await ports.remote.download(source, options, spool)
  if (file === undefined)
    throw buildError('build.remote_failed', `${source.url} answers that it did not change, and was not asked that`)
  const found = treeOfFile(source, { ...file, spool })
  return (await openArchive(found, ports, open)) ?? found.tree
}

/** For a directory that is empty. */
