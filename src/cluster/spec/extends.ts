import { dirname } from 'node:path'

import { isRemote, MAX_FILES, openFile, type Loading } from './open-file.ts'
import { mergeNodes, SERVICE_PATTERN } from './merge.ts'
import { hostPath } from './paths.ts'
import { childOf, map, textOf, without, type MapNode, type SourceNode } from './source-node.ts'

/** The services of a file with what they extend below them. */
export function resolveExtends(file: MapNode, loading: Loading): MapNode {
  const services = childOf(file, 'services')
  if (services?.kind !== 'map') return file
  const files = new Map<string, MapNode | undefined>()
  const resolved: (readonly [string, SourceNode])[] = []
  for (const [name, service] of services.entries)
    resolved.push([name, extended(service, { file, name, chain: [], files, loading })])
  return { ...file, entries: new Map([...file.entries, ['services', { ...services, entries: new Map(resolved) }]]) }
}

interface Extension {
  readonly file: MapNode
  readonly name: string
  /** `FILE service NAME` of those that lead here. */
  readonly chain: readonly string[]
  /** Those that were opened, by their paths. */
  readonly files: Map<string, MapNode | undefined>
  readonly loading: Loading
}

function extended(service: SourceNode, from: Extension): SourceNode {
  const wish = childOf(service, 'extends')
  if (service.kind !== 'map' || wish === undefined) return service
  const own = without(service, 'extends')
  const base = baseOf(wish, from)
  return base === undefined ? own : mergeNodes(base, own, SERVICE_PATTERN)
}

function baseOf(wish: SourceNode, from: Extension): SourceNode | undefined {
  const { loading, chain } = from
  const name = textOf(wish) ?? textOf(childOf(wish, 'service'))
  if (name === undefined || wish.mark === 'reset') return undefined
  const refuse = (message: string) => loading.problems.addAt(wish.spot, `service ${from.name}: ${message}`)
  const path = textOf(childOf(wish, 'file'))
  const file = path === undefined ? from.file : fileOf(path, wish, from, refuse)
  if (file === undefined) return undefined
  const here = `${from.name} (${from.file.spot.origin.file})`
  const there = `${name} (${file.spot.origin.file})`
  const line = [...chain, here]
  if (line.includes(there)) return refuse(`extends itself: ${[...line, there].join(' → ')}`)
  if (line.length > MAX_FILES) return refuse(`extends more than ${MAX_FILES} services, one after the other`)
  const service = childOf(childOf(file, 'services'), name)
  if (service === undefined) return refuse(`extends "${name}", which ${file.spot.origin.file} does not have`)
  return extended(service, { ...from, file, name, chain: line })
}

function fileOf(
  path: string,
  wish: SourceNode,
  { files, loading }: Extension,
  refuse: (message: string) => undefined,
): MapNode | undefined {
  if (isRemote(path)) return refuse(`extends ${path}, and files that are elsewhere are not fetched`)
  const { lookup } = wish.spot.origin
  const absolute = hostPath(wish.spot.origin, path)
  if (files.has(absolute)) return files.get(absolute)
  const text = files.size >= MAX_FILES ? null : loading.readFile(absolute)
  if (text === null) refuse(`extends a service of ${path}, which does not exist`)
  else loading.seen.add(absolute)
  const origin = { file: absolute, directory: dirname(absolute), lookup }
  const opened = text === null ? undefined : (openFile(text, origin, loading) ?? map({ ...wish.spot, origin }, []))
  files.set(absolute, opened)
  return opened
}
