import type { SchedulableNode } from './port.ts'

/** Reads one attribute of a node; undefined: the node does not have it. */
export type Attribute = (node: SchedulableNode) => string | undefined

const NODE_LABEL = 'node.labels.'
const ENGINE_LABEL = 'engine.labels.'

const FIXED: Readonly<Record<string, Attribute>> = {
  'node.id': (node) => node.id,
  'node.hostname': (node) => node.hostname,
  'node.ip': (node) => node.address,
  'node.role': (node) => node.role,
  'node.platform.os': (node) => node.platform.os,
  'node.platform.arch': (node) => node.platform.architecture,
}

/** Differ from node to node: what is decided by them cannot be decided for many nodes at once. */
const OWN_TO_EACH: readonly string[] = ['node.id', 'node.hostname', 'node.ip']

/** Null: no node has an attribute of this name. A key without a dot is taken for a label, as in `spread: zone`. */
export function attributeOf(key: string): Attribute | null {
  const fixed = FIXED[key.toLowerCase()]
  if (fixed !== undefined) return fixed
  const label = labelIn(key, NODE_LABEL)
  if (label !== null) return (node) => node.labels[label]
  const engineLabel = labelIn(key, ENGINE_LABEL)
  if (engineLabel !== null) return (node) => node.engineLabels[engineLabel]
  return key.includes('.') || key === '' ? null : (node) => node.labels[key]
}

/** Of spreads and topologies, where every node has to belong somewhere: those without the attribute are together. */
export function placeOf(key: string): (node: SchedulableNode) => string {
  const attribute = attributeOf(key)
  return attribute === null ? () => '' : (node) => attribute(node) ?? ''
}

export function isOwnToEach(key: string): boolean {
  return OWN_TO_EACH.includes(key.toLowerCase())
}

/** The names that `uname` and other tools have for architectures, brought to those of OCI. */
export function architectureOf(name: string): string {
  const lower = name.toLowerCase()
  return ARCHITECTURES[lower] ?? lower
}

const ARCHITECTURES: Readonly<Record<string, string>> = {
  x86_64: 'amd64',
  'x86-64': 'amd64',
  aarch64: 'arm64',
  armv8l: 'arm64',
  armhf: 'arm',
  armv7l: 'arm',
  armv6l: 'arm',
  i386: '386',
  i686: '386',
}

function labelIn(key: string, prefix: string): string | null {
  return key.toLowerCase().startsWith(prefix) ? key.slice(prefix.length) : null
}
