import { interpolate } from './interpolate.ts'
import { childPointer, type Complaints } from './problems.ts'
import type { SourceNode } from './source-node.ts'

/** Fills in the variables of all strings below; keys stay as they are. Unset variables are gathered in `unset`. */
export function interpolateValues(node: SourceNode, complaints: Complaints, unset: Set<string>, at = ''): SourceNode {
  if (node.kind === 'list')
    return {
      ...node,
      items: node.items.map((item, index) => interpolateValues(item, complaints, unset, childPointer(at, index))),
    }
  if (node.kind === 'map') {
    const entries = [...node.entries].map(
      ([key, child]) => [key, interpolateValues(child, complaints, unset, childPointer(at, key))] as const,
    )
    return { ...node, entries: new Map(entries) }
  }
  if (typeof node.value !== 'string' || !node.value.includes('$')) return node
  const result = interpolate(node.value, node.spot.origin.lookup)
  for (const name of result.unset) unset.add(name)
  if (result.errors.length > 0) complaints.add(at, result.errors.join('; '))
  return { ...node, value: result.text }
}
