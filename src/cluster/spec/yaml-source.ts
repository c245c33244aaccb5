import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node, type Pair } from 'yaml'

import { messageOf } from '#base'

import type { Problems } from './problems.ts'
import { list, map, scalar, type Mark, type Origin, type ScalarNode, type SourceNode, type Spot } from './source-node.ts'

/** Aliases multiply: a file of a few lines may stand for billions of values. Real files hold some thousands. */
const MAX_NODES = 100_000

/** Deeper than anything that the specification knows, and far from the end of the stack. */
const MAX_DEPTH = 100

/** A file of this length was not written by hand, and takes seconds to read. */
const MAX_CHARACTERS = 2_000_000

/** What follows the first errors of form comes from them. */
const MAX_ISSUES = 3

interface Walk {
  readonly document: Document
  readonly counter: LineCounter
  readonly origin: Origin
  readonly problems: Problems
  nodes: number
}

const MARKS: Readonly<Record<string, Mark>> = { '!reset': 'reset', '!override': 'override' }

/** The values of a YAML file with their places. Undefined: there is nothing to read on, and the problems say why. */
export function readYaml(text: string, origin: Origin, problems: Problems): SourceNode | undefined {
  const top: Spot = { origin, line: 1, column: 1 }
  if (text.length > MAX_CHARACTERS) return problems.addAt(top, `the file has more than ${MAX_CHARACTERS} characters`)
  const counter = new LineCounter()
  const document = parse(text, counter)
  if (typeof document === 'string') return problems.addAt(top, document)
  const walk: Walk = { document, counter, origin, problems, nodes: 0 }
  const issues = [
    ...document.errors,
    ...document.warnings.filter(({ message }) => !/^Unresolved tag: !(reset|override)$/.test(message)),
  ]
  for (const issue of issues.slice(0, MAX_ISSUES)) problems.addAt(spotAt(walk, issue.pos[0]), issue.message)
  if (issues.length > 0) return undefined
  const node = readNode(walk, document.contents, top, 0)
  if (node.kind === 'scalar' && node.value === null) return problems.addAt(top, 'the file is empty')
  return node
}

/** The parser recurses as deep as the file does, and the stack ends somewhere. */
function parse(text: string, lineCounter: LineCounter): Document | string {
  try {
    return parseDocument(text, { lineCounter, prettyErrors: false, version: '1.2', uniqueKeys: true, logLevel: 'silent' })
  } catch (error) {
    return error instanceof RangeError ? 'the file is nested too deeply' : `this is not YAML: ${messageOf(error)}`
  }
}

function spotAt({ counter, origin }: Walk, offset: number): Spot {
  const { line, col } = counter.linePos(offset)
  return { origin, line: Math.max(1, line), column: Math.max(1, col) }
}

function spotOf(walk: Walk, node: unknown, otherwise: Spot): Spot {
  const offset = (node as Partial<Node> | null)?.range?.[0]
  return offset === undefined ? otherwise : spotAt(walk, offset)
}

/** `spot`: of the key that leads here. */
function readNode(walk: Walk, node: unknown, spot: Spot, depth: number): SourceNode {
  const nothing = scalar(spot, null)
  walk.nodes += 1
  if (walk.nodes > MAX_NODES) {
    if (walk.nodes === MAX_NODES + 1)
      walk.problems.addAt({ ...spot, line: 1, column: 1 }, `the file stands for more than ${MAX_NODES} values`)
    return nothing
  }
  if (depth > MAX_DEPTH) {
    walk.problems.addAt(spot, `the file is nested more than ${MAX_DEPTH} deep`)
    return nothing
  }
  if (isAlias(node)) return readNode(walk, node.resolve(walk.document) ?? null, spot, depth + 1)
  const read = readKind(walk, node, spot, depth)
  const mark = MARKS[(node as Partial<Node> | null)?.tag ?? '']
  return mark === undefined ? read : { ...read, mark }
}

function readKind(walk: Walk, node: unknown, spot: Spot, depth: number): SourceNode {
  if (isScalar(node)) return readScalar(walk, node.value, node.source, spot)
  if (isSeq(node)) {
    return list(
      spot,
      node.items.map((item) => readNode(walk, item, spotOf(walk, item, spot), depth + 1)),
    )
  }
  return isMap(node) ? readMap(walk, node.items, spot, depth) : scalar(spot, null)
}

/** Compose files are written for Go's YAML, where 0444 is octal: file modes rely on it. */
function readScalar(walk: Walk, value: unknown, source: string | undefined, spot: Spot): ScalarNode {
  if (typeof value === 'number' && source !== undefined && /^0[0-7]+$/.test(source))
    return scalar(spot, Number.parseInt(source, 8))
  if (typeof value === 'bigint') return scalar(spot, Number(value))
  if (typeof value === 'number' && !Number.isFinite(value)) return scalar(spot, source ?? String(value))
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return scalar(spot, value)
  if (value !== undefined) walk.problems.addAt(spot, 'this kind of YAML value is not supported')
  return scalar(spot, null)
}

/** Own keys win over merged ones (`<<`), whatever their order: yaml.org/type/merge.html. */
function readMap(walk: Walk, items: readonly Pair[], spot: Spot, depth: number): SourceNode {
  const own = new Map<string, SourceNode>()
  const merged = new Map<string, SourceNode>()
  for (const pair of items) {
    const key = isScalar(pair.key) ? String(pair.key.value) : null
    const at = spotOf(walk, pair.key, spot)
    if (key === null) walk.problems.addAt(at, 'keys must be plain text')
    else if (key === '<<') {
      for (const [name, value] of mergedEntries(walk, pair.value, at, depth)) if (!merged.has(name)) merged.set(name, value)
    } else own.set(key, readNode(walk, pair.value, at, depth + 1))
  }
  return map(spot, [...merged, ...own])
}

function mergedEntries(walk: Walk, node: unknown, spot: Spot, depth: number): Iterable<readonly [string, SourceNode]> {
  const target = isAlias(node) ? node.resolve(walk.document) : node
  if (depth > MAX_DEPTH) return []
  if (isSeq(target)) return target.items.flatMap((item) => [...mergedEntries(walk, item, spot, depth + 1)])
  const read = readNode(walk, target, spot, depth + 1)
  if (read.kind === 'map') return read.entries
  walk.problems.addAt(spotOf(walk, node, spot), '<< must merge a mapping')
  return []
}
