import type { Lookup } from './interpolate.ts'

/** Where a part of the model was written, and how it is to be understood there. */
export interface Origin {
  /** As messages name it. */
  readonly file: string
  /** Absolute; relative paths of the file start here. */
  readonly directory: string
  readonly lookup: Lookup
}

/** Of the key, where a value has one. */
export interface Spot {
  readonly origin: Origin
  readonly line: number
  readonly column: number
}

/** `!reset` takes away what was there, `!override` takes its place instead of merging with it: the specification's page on merging. */
export type Mark = 'reset' | 'override'

interface Common {
  readonly spot: Spot
  readonly mark?: Mark
}

export interface ScalarNode extends Common {
  readonly kind: 'scalar'
  readonly value: string | number | boolean | null
}

export interface ListNode extends Common {
  readonly kind: 'list'
  readonly items: readonly SourceNode[]
}

export interface MapNode extends Common {
  readonly kind: 'map'
  readonly entries: ReadonlyMap<string, SourceNode>
}

/** A value that knows where it came from, through merges, `extends` and `include`. */
export type SourceNode = ScalarNode | ListNode | MapNode

export function scalar(spot: Spot, value: ScalarNode['value']): ScalarNode {
  return { kind: 'scalar', spot, value }
}

export function list(spot: Spot, items: readonly SourceNode[]): ListNode {
  return { kind: 'list', spot, items }
}

export function map(spot: Spot, entries: Iterable<readonly [string, SourceNode]>): MapNode {
  return { kind: 'map', spot, entries: new Map(entries) }
}

export function isNull(node: SourceNode | undefined): boolean {
  return node === undefined || (node.kind === 'scalar' && node.value === null)
}

export function childOf(node: SourceNode | undefined, key: string | number): SourceNode | undefined {
  if (node?.kind === 'map') return node.entries.get(String(key))
  return node?.kind === 'list' && /^\d+$/.test(String(key)) ? node.items[Number(key)] : undefined
}

/** The text of a scalar; undefined for null and for anything else. */
export function textOf(node: SourceNode | undefined): string | undefined {
  return node?.kind !== 'scalar' || node.value === null ? undefined : String(node.value)
}

/** As plain JSON values; what is marked `!reset` is left out. */
export function plain(node: SourceNode | undefined): unknown {
  if (node === undefined) return undefined
  if (node.kind === 'scalar') return node.value
  if (node.kind === 'list') return node.items.filter(isKept).map(plain)
  return Object.fromEntries([...node.entries].filter(([, child]) => isKept(child)).map(([key, child]) => [key, plain(child)]))
}

function isKept(node: SourceNode): boolean {
  return node.mark !== 'reset'
}

/** Without marks, and without what is marked `!reset`. */
export function withoutMarks(node: SourceNode): SourceNode {
  const { mark: _done, ...bare } = node
  if (bare.kind === 'scalar') return bare
  if (bare.kind === 'list') return { ...bare, items: bare.items.filter(isKept).map(withoutMarks) }
  const kept = [...bare.entries].filter(([, child]) => isKept(child))
  return { ...bare, entries: new Map(kept.map(([key, child]) => [key, withoutMarks(child)])) }
}

export function without(node: MapNode, ...keys: readonly string[]): MapNode {
  return { ...node, entries: new Map([...node.entries].filter(([key]) => !keys.includes(key))) }
}
