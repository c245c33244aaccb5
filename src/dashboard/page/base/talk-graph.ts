import type { MayTalkLine, RefusedLine } from '#api/glovebox'

/** One service in the picture of who talks to whom. */
export interface TalkNode {
  /** `shop/web`. */
  readonly name: string
  readonly title: string
  readonly x: number
  readonly y: number
}

export interface TalkGroup {
  readonly name: string
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
  /** Each may talk to each other: said once and not with a line for each pair. */
  readonly isOpen: boolean
  /** What it is a picture of; `entries`: where traffic comes in. */
  readonly kind: 'application' | 'entries'
}

export interface TalkEdge {
  readonly key: string
  readonly from: TalkNode
  readonly to: TalkNode
  readonly kind: 'allowed' | 'refused' | 'routed'
  readonly label: string
}

export interface TalkGraph {
  readonly width: number
  readonly height: number
  readonly groups: readonly TalkGroup[]
  readonly nodes: readonly TalkNode[]
  readonly edges: readonly TalkEdge[]
}

const NODE_WIDTH = 150
export const BOX_WIDTH = NODE_WIDTH
export const BOX_HEIGHT = 34
const BOX_MIDDLE = BOX_HEIGHT / 2
const NODE_HEIGHT = 46
const GROUP_GAP_X = 120
const GROUP_GAP_Y = 36
const HEAD = 34
const PAD = 14
const GROUPS_A_ROW = 3

/** Where traffic comes in, and the services that answer. */
export interface TalkEntry {
  readonly name: string
  readonly services: readonly string[]
}

/** Of the group of entries. No application has a name with a space. */
const ENTRIES = 'comes in'
/** What the policy says of those that a rule must let in. */
const NOT_OPEN = 'only by rules'

/** Places applications side by side, their services below each other, and draws what may pass between them. Pure. */
export function talkGraph(
  services: ReadonlyMap<string, readonly string[]>,
  mayTalk: readonly MayTalkLine[],
  refused: readonly RefusedLine[],
  entries: readonly TalkEntry[],
): TalkGraph {
  const groups: TalkGroup[] = []
  const nodes = new Map<string, TalkNode>()
  let y = 0
  let rowHeight = 0
  const all = [...(entries.length === 0 ? [] : [[ENTRIES, entries.map((entry) => entry.name)] as const]), ...services]
  for (const [index, [name, members]] of all.entries()) {
    const column = index % GROUPS_A_ROW
    if (column === 0 && index > 0) {
      y += rowHeight + GROUP_GAP_Y
      rowHeight = 0
    }
    const x = column * (NODE_WIDTH + 2 * PAD + GROUP_GAP_X)
    const height = HEAD + members.length * NODE_HEIGHT + PAD - (NODE_HEIGHT - BOX_HEIGHT)
    rowHeight = Math.max(rowHeight, height)
    const isOpen = mayTalk.some(({ from, to, ports }) => from === `${name}/*` && to === `${name}/*` && ports !== NOT_OPEN)
    const kind = name === ENTRIES ? 'entries' : 'application'
    groups.push({ name, x, y, width: NODE_WIDTH + 2 * PAD, height, isOpen, kind })
    for (const [at, member] of members.entries())
      nodes.set(`${name}/${member}`, { name: `${name}/${member}`, title: member, x: x + PAD, y: y + HEAD + at * NODE_HEIGHT })
  }
  const width = Math.min(all.length, GROUPS_A_ROW) * (NODE_WIDTH + 2 * PAD + GROUP_GAP_X) - GROUP_GAP_X
  return {
    width: Math.max(0, width),
    height: y + rowHeight,
    groups,
    nodes: [...nodes.values()],
    edges: edgesOf(nodes, mayTalk, refused, entries),
  }
}

function edgesOf(
  nodes: ReadonlyMap<string, TalkNode>,
  mayTalk: readonly MayTalkLine[],
  refused: readonly RefusedLine[],
  entries: readonly TalkEntry[],
): readonly TalkEdge[] {
  const edges = new Map<string, TalkEdge>()
  const add = (from: string, to: string, kind: TalkEdge['kind'], label: string) => {
    const ends = [nodes.get(from), nodes.get(to)] as const
    if (ends[0] === undefined || ends[1] === undefined || from === to) return
    const key = `${kind} ${from} ${to}`
    const before = edges.get(key)
    edges.set(key, { key, from: ends[0], to: ends[1], kind, label: before === undefined ? label : `${before.label}, ${label}` })
  }
  const named = (pattern: string) =>
    pattern.endsWith('/*') ? [...nodes.keys()].filter((name) => name.startsWith(pattern.slice(0, -1))) : [pattern]
  for (const line of mayTalk) {
    const isWithinOpen = line.from === line.to && line.from.endsWith('/*')
    if (isWithinOpen) continue
    for (const from of named(line.from)) for (const to of named(line.to)) add(from, to, 'allowed', line.ports)
  }
  for (const { name, services } of entries)
    for (const service of services) add(`${ENTRIES}/${name}`, service, 'routed', 'requests')
  for (const { from, to, protocol, port } of refused) add(from, to, 'refused', port === 0 ? protocol : `${protocol}/${port}`)
  return [...edges.values()]
}

/** The line from one service to another: out at the side, in at the side, bent so that lines of neighbours do not lie on each other. */
export function edgePath({ from, to }: TalkEdge): string {
  const isRight = to.x >= from.x
  const x1 = from.x === to.x || isRight ? from.x + NODE_WIDTH : from.x
  const x2 = from.x === to.x ? to.x + NODE_WIDTH : isRight ? to.x : to.x + NODE_WIDTH
  const [y1, y2] = [from.y + BOX_MIDDLE, to.y + BOX_MIDDLE]
  const bend = from.x === to.x ? 46 : Math.max(40, Math.abs(x2 - x1) / 2)
  const c1 = from.x === to.x || isRight ? x1 + bend : x1 - bend
  const c2 = from.x === to.x ? x2 + bend : isRight ? x2 - bend : x2 + bend
  return `M${x1} ${y1}C${c1} ${y1} ${c2} ${y2} ${x2} ${y2}`
}
