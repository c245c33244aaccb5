import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node, type Pair } from 'yaml'

import { childPointer, splitPointer, type Position } from './problems.ts'

/** Plain values of a YAML file, and where each came from. */
export interface YamlSource {
  readonly value: unknown
  readonly problems: readonly { readonly position: Position; readonly message: string }[]
  /** Of the key, where the value has one. Falls back to the nearest parent that is in the file. */
  positionOf(at: string): Position
}

/** Aliases multiply: a file of a few lines may stand for billions of values. Real files hold some thousands. */
const MAX_NODES = 100_000

interface Walk {
  readonly document: Document
  readonly counter: LineCounter
  readonly positions: Map<string, Position>
  readonly problems: { position: Position; message: string }[]
  nodes: number
}

export function readYaml(text: string): YamlSource {
  const counter = new LineCounter()
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false, version: '1.2', uniqueKeys: true })
  const walk: Walk = { document, counter, positions: new Map([['', { line: 1, column: 1 }]]), problems: [], nodes: 0 }
  for (const issue of [...document.errors, ...document.warnings]) {
    walk.problems.push({ position: place(walk, issue.pos[0]), message: issue.message })
  }
  const value = document.errors.length > 0 ? null : plainValue(walk, document.contents, '')
  return { value, problems: walk.problems, positionOf: (at) => nearest(walk.positions, at) }
}

function nearest(positions: ReadonlyMap<string, Position>, at: string): Position {
  for (let parts = splitPointer(at); ; parts = parts.slice(0, -1)) {
    const found = positions.get(parts.reduce(childPointer, ''))
    if (found !== undefined) return found
    if (parts.length === 0) return { line: 1, column: 1 }
  }
}

function place(walk: Walk, offset: number): Position {
  const { line, col } = walk.counter.linePos(offset)
  return { line: Math.max(1, line), column: Math.max(1, col) }
}

function complain(walk: Walk, node: Node | null, message: string): null {
  walk.problems.push({ position: place(walk, node?.range?.[0] ?? 0), message })
  return null
}

function plainValue(walk: Walk, node: unknown, at: string): unknown {
  walk.nodes += 1
  if (walk.nodes > MAX_NODES) {
    if (walk.nodes === MAX_NODES + 1) complain(walk, null, `the file stands for more than ${MAX_NODES} values`)
    return null
  }
  if (isAlias(node)) return plainValue(walk, node.resolve(walk.document) ?? null, at)
  if (isScalar(node)) return scalarValue(walk, node.value, node.source, at)
  if (isSeq(node)) {
    return node.items.map((item, index) => {
      const child = childPointer(at, index)
      remember(walk, item as Node, child)
      return plainValue(walk, item, child)
    })
  }
  if (isMap(node)) return mapValue(walk, node.items, at)
  return null
}

/** Compose files are written for Go's YAML, where 0444 is octal: file modes rely on it. */
function scalarValue(walk: Walk, value: unknown, source: string | undefined, at: string): unknown {
  if (typeof value === 'number' && source !== undefined && /^0[0-7]+$/.test(source)) return Number.parseInt(source, 8)
  if (typeof value === 'bigint') return Number(value)
  if (typeof value === 'object' && value !== null) return complain(walk, null, `${at}: this kind of YAML value is not supported`)
  return value
}

/** Own keys win over merged ones (`<<`), whatever their order: yaml.org/type/merge.html. */
function mapValue(walk: Walk, items: readonly Pair[], at: string): Record<string, unknown> {
  const own = new Map<string, unknown>()
  const merged = new Map<string, unknown>()
  for (const pair of items) {
    const key = isScalar(pair.key) ? String(pair.key.value) : null
    if (key === null) {
      complain(walk, pair.key as Node | null, 'keys must be plain text')
    } else if (key === '<<') {
      for (const [name, value] of mergedEntries(walk, pair.value, at)) if (!merged.has(name)) merged.set(name, value)
    } else {
      const child = childPointer(at, key)
      remember(walk, pair.key as Node, child)
      own.set(key, plainValue(walk, pair.value, child))
    }
  }
  return Object.fromEntries([...merged, ...own])
}

function mergedEntries(walk: Walk, node: unknown, at: string): readonly (readonly [string, unknown])[] {
  const target = isAlias(node) ? node.resolve(walk.document) : node
  if (isSeq(target)) return target.items.flatMap((item) => mergedEntries(walk, item, at))
  if (!isMap(target)) {
    complain(walk, node as Node | null, '<< must merge a mapping')
    return []
  }
  return Object.entries(mapValue(walk, target.items as readonly Pair[], at))
}

/** The first place wins: that of the key itself over those that an alias leads to. */
function remember(walk: Walk, node: Node | null, at: string): void {
  const offset = node?.range?.[0]
  if (offset !== undefined) walk.positions.set(at, place(walk, offset))
}
