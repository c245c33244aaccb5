import { childPattern, isKeyedByText, ruleOf, type MergeRule } from './merge-rules.ts'
import { isNull, list, map, scalar, textOf, type ListNode, type MapNode, type SourceNode } from './source-node.ts'

/** The pattern of a service's own fields, for `extends`. */
export const SERVICE_PATTERN = '/services/*'

/** What two files say together: `over` counts more. `pattern` is where they are in the model, with `*` for names. */
export function mergeNodes(base: SourceNode, over: SourceNode, pattern = ''): SourceNode {
  // Both marks stay: what is below in a further file is to feel them too.
  if (over.mark !== undefined || base.mark === 'reset') return over
  if (isNull(over)) return base.kind === 'scalar' ? over : base
  const rule = ruleOf(pattern)
  if (rule?.type === 'replace') return over
  const [below, above] = rule === undefined ? [base, over] : [canonical(base, rule), canonical(over, rule)]
  if (rule?.type === 'logging' && below.kind === 'map' && above.kind === 'map' && isOtherDriver(below, above)) return above
  if (below.kind === 'map' && above.kind === 'map') return mergeMaps(below, above, pattern, rule?.type === 'pairs')
  if (below.kind !== 'list' || above.kind !== 'list') return over
  const keyOf = rule?.type === 'keyed' ? rule.keyOf : textOrNothing
  return {
    ...above,
    ...(below.mark === undefined ? {} : { mark: below.mark }),
    items: mergeItems(below.items, above.items, keyOf),
  }
}

function mergeMaps(base: MapNode, over: MapNode, pattern: string, arePairs: boolean): MapNode {
  const entries = new Map(base.entries)
  for (const [key, node] of over.entries) {
    const known = entries.get(key)
    entries.set(key, known === undefined || arePairs ? node : mergeNodes(known, node, childPattern(pattern, key)))
  }
  return { ...base, entries }
}

function mergeItems(
  base: readonly SourceNode[],
  over: readonly SourceNode[],
  keyOf: (item: SourceNode) => string | undefined,
): readonly SourceNode[] {
  const items: SourceNode[] = []
  const places = new Map<string, number>()
  for (const item of [...base, ...over]) {
    const key = keyOf(item)
    const place = key === undefined ? undefined : places.get(key)
    if (place !== undefined) items[place] = item
    else {
      if (key !== undefined) places.set(key, items.length)
      items.push(item)
    }
  }
  return items
}

/** Texts that are the same stand for one thing; mappings never do. */
function textOrNothing(item: SourceNode): string | undefined {
  return textOf(item)
}

/** The form in which a field can be merged. */
function canonical(node: SourceNode, rule: MergeRule): SourceNode {
  if (node.kind === 'scalar') {
    if (isNull(node)) return isKeyedByText(rule) ? list(node.spot, []) : map(node.spot, [])
    if (rule.type === 'short') return map(node.spot, [[rule.field, node]])
    return isKeyedByText(rule) ? list(node.spot, [node]) : node
  }
  if (rule.type === 'union' && node.kind === 'map') return list(node.spot, hostItems(node))
  if (node.kind !== 'list') return node
  if (rule.type === 'named') return keepMark(node, map(node.spot, named(node, rule)))
  if (rule.type === 'pairs') return keepMark(node, map(node.spot, node.items.flatMap(pairOf)))
  return node
}

function keepMark(from: SourceNode, to: SourceNode): SourceNode {
  return from.mark === undefined ? to : { ...to, mark: from.mark }
}

function named({ items }: ListNode, rule: MergeRule & { readonly type: 'named' }): readonly (readonly [string, SourceNode])[] {
  return items.map((item) => [textOf(item) ?? '', rule.valueOf(item.spot)])
}

function pairOf(item: SourceNode): readonly (readonly [string, SourceNode])[] {
  const text = textOf(item)
  if (text === undefined) return []
  const equals = text.indexOf('=')
  const [key, value] = equals < 0 ? [text, null] : [text.slice(0, equals), text.slice(equals + 1)]
  return [[key, scalar(item.spot, value)]]
}

/** A mapping of hosts to addresses, as `host=address` items. */
function hostItems(node: MapNode): readonly SourceNode[] {
  return [...node.entries].flatMap(([host, addresses]) =>
    (addresses.kind === 'list' ? addresses.items : [addresses]).map((address) =>
      scalar(address.spot, `${host}=${textOf(address) ?? ''}`),
    ),
  )
}

function isOtherDriver(base: MapNode, over: MapNode): boolean {
  const [before, after] = [textOf(base.entries.get('driver')), textOf(over.entries.get('driver'))]
  return before !== undefined && after !== undefined && before !== after
}
