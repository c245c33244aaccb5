import { isDeepStrictEqual } from 'node:util'
import { dirname, resolve } from 'node:path'

import { parseEnvFile } from './env-file.ts'
import type { Lookup } from './interpolate.ts'
import { isRemote, type Loading } from './open-file.ts'
import { mergeNodes } from './merge.ts'
import { hostPath } from './paths.ts'
import { childOf, map, plain, textOf, without, type MapNode, type Origin, type SourceNode } from './source-node.ts'

/** Sections that an included application brings along. */
const SECTIONS = ['services', 'networks', 'volumes', 'secrets', 'configs', 'models'] as const

/** Its routes and policy come along; what the file itself says counts more. */
const EXTENSION = 'x-glovebox'

export interface Including {
  readonly loading: Loading
  /** Files that lead here by including. */
  readonly chain: readonly string[]
  /** Reads one file with all that it leads to. */
  readonly load: (text: string, origin: Origin, loading: Loading, chain: readonly string[]) => MapNode | undefined
}

/** A file with the resources of the applications that it includes, each read as one of its own. The specification's page on include. */
export function resolveIncludes(file: MapNode, including: Including): MapNode {
  const wishes = childOf(file, 'include')
  let merged: MapNode = without(file, 'include')
  for (const wish of wishes?.kind === 'list' ? wishes.items : []) {
    const included = includedFile(wish, including)
    if (included !== undefined) merged = withResources(merged, included, including.loading)
  }
  return merged
}

function includedFile(wish: SourceNode, including: Including): MapNode | undefined {
  const { origin } = wish.spot
  const paths = textsOf(wish.kind === 'map' ? childOf(wish, 'path') : wish)
  const [first] = paths
  if (first === undefined) return undefined
  const named = textOf(childOf(wish, 'project_directory'))
  const directory = named === undefined ? dirname(hostPath(origin, first)) : hostPath(origin, named)
  const lookup = environmentOf(childOf(wish, 'env_file'), wish, directory, including.loading)
  let merged: MapNode | undefined
  for (const path of paths) {
    const file = oneFile(path, wish, { directory, lookup }, including)
    if (file !== undefined) merged = merged === undefined ? file : asMap(mergeNodes(merged, file), merged)
  }
  return merged
}

function oneFile(
  path: string,
  wish: SourceNode,
  base: { readonly directory: string; readonly lookup: Lookup },
  { loading, chain, load }: Including,
): MapNode | undefined {
  const refuse = (message: string) => loading.problems.addAt(wish.spot, message)
  if (isRemote(path)) return refuse(`"include" ${path}: files that are elsewhere are not fetched`)
  const file = hostPath(wish.spot.origin, path)
  if (chain.includes(file)) return refuse(`the file includes itself: ${[...chain, file].join(' → ')}`)
  const text = loading.readFile(file)
  if (text === null) return refuse(`"include" ${path} does not exist`)
  loading.seen.add(file)
  return load(text, { ...base, file }, loading, chain)
}

/** What the application around it says counts more than the files named here, or the `.env` beside it. */
function environmentOf(files: SourceNode | undefined, wish: SourceNode, directory: string, loading: Loading): Lookup {
  const { origin } = wish.spot
  const named = textsOf(files).map((path) => hostPath(origin, path))
  let lookup = origin.lookup
  for (const path of named.length > 0 ? named.toReversed() : [resolve(directory, '.env')]) {
    const text = loading.readFile(path)
    if (text === null && named.length > 0) loading.problems.addAt((files ?? wish).spot, `"env_file" ${path} does not exist`)
    const before = lookup
    const { values, errors } = parseEnvFile(text ?? '', before)
    for (const error of errors) loading.problems.addAt(wish.spot, `${path} ${error}`)
    lookup = (name) => before(name) ?? (Object.hasOwn(values, name) ? values[name] : undefined)
  }
  return lookup
}

/** Two applications may say the same of one resource, but not different things. */
function withResources(file: MapNode, included: MapNode, { problems }: Loading): MapNode {
  const entries = new Map(file.entries)
  for (const section of SECTIONS) {
    const theirs = childOf(included, section)
    if (theirs?.kind !== 'map') continue
    const ours = entries.get(section)
    const merged = new Map(ours?.kind === 'map' ? ours.entries : [])
    for (const [name, resource] of theirs.entries) {
      const known = merged.get(name)
      if (known === undefined) merged.set(name, resource)
      else if (!isDeepStrictEqual(plain(known), plain(resource)))
        problems.addAt(known.spot, `${section}: "${name}" is something else in ${resource.spot.origin.file}, which is included`)
    }
    entries.set(section, map((ours ?? theirs).spot, merged))
  }
  const extension = childOf(included, EXTENSION)
  if (extension !== undefined) {
    const ours = entries.get(EXTENSION)
    entries.set(EXTENSION, ours === undefined ? extension : mergeNodes(extension, ours, `/${EXTENSION}`))
  }
  return { ...file, entries }
}

function textsOf(node: SourceNode | undefined): readonly string[] {
  return (node?.kind === 'list' ? node.items : [node]).flatMap((item) => textOf(item) ?? [])
}

function asMap(node: SourceNode, otherwise: MapNode): MapNode {
  return node.kind === 'map' ? node : otherwise
}
