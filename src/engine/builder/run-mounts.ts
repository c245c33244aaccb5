import type { Digest } from '#base'
import { insideRoot } from '#oci/patterns'
import { bytesOfText, textOfBytes } from '#oci/tar'

import { contextTree } from './context-trees.ts'
import { layOut } from './copy-layout.ts'
import { buildError, buildErrorAt } from './errors.ts'
import { emptyTree, type FileTree } from './file-tree.ts'
import { contextLayerKey } from './keys.ts'
import { layerTar } from './layer-items.ts'
import type { RunMount } from './ports.ts'
import { resolvePath } from './resolve-path.ts'
import { contentDigest, selectSources } from './select-sources.ts'
import type { CopyFrom, PlannedMount, Step } from './steps.ts'
import type { LayersOf, LayerWork, MadeLayer, StepContext } from './steps-context.ts'

/** Files that a mount shows: where they are, and what stands for them in a key. */
interface MountedTree {
  readonly layers: readonly Digest[]
  readonly path: string
}

/** The mounts of a RUN step, with all that they show in place, and the variables that secrets set. */
export interface ReadyMounts {
  readonly mounts: readonly RunMount[]
  readonly env: readonly string[]
}

/** Does a piece of work unless it was done before; gives the layer. */
export type Make = (work: LayerWork) => Promise<Digest | undefined>

/** What the mounts of a step depend on, for its key: content, never where it lies, and of a secret its name alone. */
export async function mountInputs(
  build: StepContext,
  mounts: readonly PlannedMount[],
  layersOf: LayersOf,
): Promise<readonly unknown[]> {
  const inputs: unknown[] = []
  for (const mount of mounts) {
    if (mount.kind === 'file') inputs.push({ ...mount, content: mount.content.toString('base64') })
    else if (mount.kind === 'tree') inputs.push({ ...mount, from: await treeInput(build, mount.from, mount.source, layersOf) })
    else if (mount.kind === 'cache' && mount.seed !== undefined)
      inputs.push({ ...mount, seed: await treeInput(build, mount.seed.from, mount.seed.source, layersOf) })
    else inputs.push(mount)
  }
  return inputs
}

async function treeInput(build: StepContext, from: CopyFrom, source: string, layersOf: LayersOf): Promise<unknown> {
  if (from.kind === 'context' || from.kind === 'named-context') return await contextContent(contextTree(build, from), source)
  return from.kind === 'image' ? from.layers : await layersOf(from.stage)
}

async function contextContent(tree: FileTree, source: string): Promise<string> {
  return await contentDigest(await selectSources(tree, selectionOf(source)), false)
}

const selectionOf = (source: string) => ({ sources: [source], excludes: [], keepsParents: false })

/** Errors: `build.secret_missing`, `build.ssh_missing`, `build.copy_failed`. */
export async function readyMounts(
  build: StepContext,
  step: Pick<Step, 'place'>,
  planned: readonly PlannedMount[],
  layersOf: LayersOf,
  make: Make,
): Promise<ReadyMounts> {
  const mounts: RunMount[] = []
  const env: string[] = []
  for (const mount of planned) {
    switch (mount.kind) {
      case 'file':
        mounts.push({ ...mount, uid: 0, gid: 0, isSecret: false })
        break
      case 'tmpfs':
        mounts.push(mount)
        break
      case 'tree': {
        const tree = await treeOf(build, mount.from, mount.source, layersOf, make)
        mounts.push({ kind: 'tree', target: mount.target, isWritable: mount.isWritable, ...tree })
        break
      }
      case 'cache': {
        const { seed, ...cache } = mount
        const tree = seed === undefined ? undefined : await treeOf(build, seed.from, seed.source, layersOf, make)
        mounts.push({ ...cache, seed: tree })
        break
      }
      case 'secret': {
        const content = build.secrets.get(mount.id)
        if (content === undefined && mount.isRequired)
          throw buildErrorAt(
            'build.secret_missing',
            step.place,
            `the secret ${mount.id} is required and was not given`,
            `Give it with --secret id=${mount.id},src=FILE.`,
          )
        const { target, mode, uid, gid } = mount
        if (content !== undefined && target !== undefined)
          mounts.push({ kind: 'file', target, content, mode, uid, gid, isSecret: true })
        if (content !== undefined && mount.env !== undefined) env.push(`${mount.env}=${content.toString('utf8')}`)
        break
      }
      case 'ssh': {
        const socketPath = build.sshAgents.get(mount.id)
        if (socketPath === undefined && mount.isRequired)
          throw buildErrorAt(
            'build.ssh_missing',
            step.place,
            `the SSH agent ${mount.id} is required and was not given`,
            `Give it with --ssh ${mount.id}.`,
          )
        const { target, mode, uid, gid } = mount
        if (socketPath === undefined) break
        mounts.push({ kind: 'socket', target, socketPath, mode, uid, gid })
        env.push(`SSH_AUTH_SOCK=${target}`)
        break
      }
    }
  }
  return { mounts, env }
}

/** Files of the context become a layer of their own, which is mounted like those of stages: nothing is unpacked on the host. */
async function treeOf(build: StepContext, from: CopyFrom, source: string, layersOf: LayersOf, make: Make): Promise<MountedTree> {
  if (from.kind === 'context' || from.kind === 'named-context')
    return await mountedContext(build, contextTree(build, from), source, make)
  const layers = from.kind === 'image' ? from.layers : await layersOf(from.stage)
  await using root = await build.ports.root.open(layers)
  return { layers, path: await pathIn(root, source) }
}

/** Free of links, so that the path means the same to whoever mounts it. Layers do not change afterwards. */
async function pathIn(tree: FileTree, source: string): Promise<string> {
  const found = await resolvePath(tree, bytesOfText(insideRoot(source)), true)
  if (found.entry !== undefined) return textOfBytes(found.path)
  throw buildError('build.copy_failed', `there is no ${JSON.stringify(source)} to mount`, { hint: 'Check source and from.' })
}

async function mountedContext(build: StepContext, tree: FileTree, source: string, make: Make): Promise<MountedTree> {
  const selected = await selectSources(tree, selectionOf(source))
  const isDirectory = selected[0]?.entry.type === 'directory'
  const work: LayerWork = {
    key: contextLayerKey(await contentDigest(selected, false), isDirectory),
    make: async (): Promise<MadeLayer> => {
      const destination = isDirectory ? '/' : `/${FILE_NAME}`
      const root = emptyTree()
      const copy = { selected, inlineFiles: [], unpacked: [], destination, owner: undefined, keepsOwners: false, mode: undefined }
      return await build.ports.layers.addLayerTar(layerTar(await layOut(copy, root), build.epochS))
    },
  }
  const layer = await make(work)
  return { layers: layer === undefined ? [] : [layer], path: isDirectory ? '' : FILE_NAME }
}

/** A single file of the context, in the layer that is made for it. */
const FILE_NAME = 'file'
