import type { Digest } from '#base'

import { contextTree } from './context-trees.ts'
import { layOut, type CopyLayout } from './copy-layout.ts'
import { emptyTree, type FileTree } from './file-tree.ts'
import { copyKey, selectionKey } from './keys.ts'
import { layerTar } from './layer-items.ts'
import { parseMode } from './modes.ts'
import { resolveOwner } from './owners.ts'
import { joinedContent, remoteContents } from './remote-step.ts'
import { contentDigest, selectSources, type SelectedSource } from './select-sources.ts'
import type { CopyAction } from './steps.ts'
import type { LayerWork, MadeLayer, StepContext } from './steps-context.ts'
import { splitArchives } from './unpack-archives.ts'

/** COPY and ADD write their layer straight from the sources: nothing runs, and nothing is unpacked on the host. */
export async function copyWork(
  build: StepContext,
  action: CopyAction,
  layers: readonly Digest[],
  sourceLayers: readonly Digest[] | undefined,
): Promise<LayerWork> {
  const remotes = await remoteContents(build, action)
  const content = joinedContent(await localDigest(build, action, sourceLayers), remotes, action)
  const make = async (): Promise<MadeLayer> => {
    await using open = new AsyncDisposableStack()
    const source =
      sourceLayers === undefined ? contextTree(build, action.from) : open.use(await build.ports.root.open(sourceLayers))
    const root: FileTree = action.isLink ? emptyTree() : open.use(await build.ports.root.open(layers))
    const local = action.sources.length === 0 ? [] : await selectSources(source, action)
    const fetched = (await Promise.all(remotes.map((remote) => remote.select()))).flat()
    const mayUnpack = [...(action.unpacks ? local : []), ...(action.unpacksRemotes ? fetched : [])]
    const plain = [...(action.unpacks ? [] : local), ...(action.unpacksRemotes ? [] : fetched)]
    const archives = open.use(await splitArchives(mayUnpack, build.ports))
    const layout = await layoutOf(action, root, [...archives.plain, ...plain], archives.unpacked)
    const items = await layOut(layout, root)
    return await build.ports.layers.addLayerTar(layerTar(items, build.epochS))
  }
  return { key: copyKey(action, content, layers, build.epochS), make }
}

async function layoutOf(
  action: CopyAction,
  root: FileTree,
  selected: readonly SelectedSource[],
  unpacked: readonly SelectedSource[],
): Promise<CopyLayout> {
  return {
    selected,
    unpacked,
    inlineFiles: action.inlineFiles,
    destination: action.destination,
    owner: action.owner === undefined ? undefined : await resolveOwner(action.owner, root),
    keepsOwners: action.from.kind === 'stage' || action.from.kind === 'image',
    mode: action.mode === undefined ? undefined : parseMode(action.mode),
  }
}

/** Undefined when everything comes from elsewhere. */
async function localDigest(
  build: StepContext,
  action: CopyAction,
  layers: readonly Digest[] | undefined,
): Promise<string | undefined> {
  if (action.sources.length === 0 && action.remotes.length > 0) return undefined
  return layers === undefined ? await contextDigest(build, action) : await layersDigest(build, action, layers)
}

async function contextDigest(build: StepContext, action: CopyAction): Promise<string> {
  const tree = contextTree(build, action.from)
  const key = selectionKey([], action, false)
  const known = tree.digests?.get(key)
  if (known !== undefined) return known
  const digest = await contentDigest(await selectSources(tree, action), false)
  tree.digests?.set(key, digest)
  return digest
}

/** Reading what a stage gives takes a while, and the same layers always give the same: the digest is kept. */
async function layersDigest(build: StepContext, action: CopyAction, layers: readonly Digest[]): Promise<string> {
  const { cache, clock, root } = build.ports
  const keepsOwners = action.owner === undefined
  const key = selectionKey(layers, action, keepsOwners)
  const known = await cache.get(key)
  if (known?.kind === 'content') return known.digest
  await using tree = await root.open(layers)
  const digest = await contentDigest(await selectSources(tree, action), keepsOwners)
  await cache.put(key, { kind: 'content', digest, created: new Date(clock.nowMs()).toISOString() })
  return digest
}
