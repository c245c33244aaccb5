import { posix } from 'node:path'

import { childOf, map, scalar, textOf, type SourceNode, type Spot } from './source-node.ts'

/**
 * How values of two files become one. Where nothing is said here, mappings are merged, lists are put one behind the other (the same text
 * once), and of anything else the later one counts. The specification's page on merging.
 */
export type MergeRule =
  /** The later one counts as a whole. */
  | { readonly type: 'replace' }
  /** `key=value` lists and mappings: by key. */
  | { readonly type: 'pairs' }
  /** A single value counts as a list of one. */
  | { readonly type: 'union' }
  /** Lists whose items are told apart by something that they say: the later one takes the place of the former. */
  | { readonly type: 'keyed'; readonly keyOf: (item: SourceNode) => string }
  /** A list of names stands for a mapping with these values. */
  | { readonly type: 'named'; readonly valueOf: (spot: Spot) => SourceNode }
  /** A text stands for a mapping with this field. */
  | { readonly type: 'short'; readonly field: string }
  /** Options belong to the driver: with another one, those before do not count. */
  | { readonly type: 'logging' }

const replace: MergeRule = { type: 'replace' }
const pairs: MergeRule = { type: 'pairs' }
const union: MergeRule = { type: 'union' }
const keyed = (keyOf: (item: SourceNode) => string): MergeRule => ({ type: 'keyed', keyOf })

const part = (item: SourceNode, name: string): string => textOf(childOf(item, name)) ?? ''

/** `[source:]target[:mode]`, or the long form. */
function targetOf(item: SourceNode): string {
  const parts = textOf(item)?.split(':')
  const target = parts === undefined ? part(item, 'target') || part(item, 'source') : (parts[1] ?? parts[0] ?? '')
  return posix.normalize(target).replace(/(?<=.)\/$/, '')
}

/** A secret or config: its target, which has a default. */
const grantOf = (directory: string) => (item: SourceNode) => {
  const target = textOf(item) ?? (part(item, 'target') || part(item, 'source'))
  return posix.resolve(directory, target)
}

const PORT = /^(?:(?:(\[[^\]]*\]|[^:]*):)?([^:]*):)?([^:/]+)(?:\/(\w+))?$/

function portOf(item: SourceNode): string {
  const short = textOf(item)
  const [, ip = '', published = '', target = '', protocol = 'tcp'] = PORT.exec(short ?? '') ?? []
  if (short !== undefined) return [ip.replace(/^\[|\]$/g, ''), published, target || short, protocol].join('|')
  return [part(item, 'host_ip'), part(item, 'published'), part(item, 'target'), part(item, 'protocol') || 'tcp'].join('|')
}

const pathOf = (item: SourceNode) => textOf(item) ?? part(item, 'path')

const NAMED_NULL: MergeRule = { type: 'named', valueOf: (spot) => scalar(spot, null) }
const STARTED: MergeRule = {
  type: 'named',
  valueOf: (spot) => map(spot, [['condition', scalar(spot, 'service_started')]]),
}

const SERVICE: Readonly<Record<string, MergeRule>> = {
  annotations: pairs,
  build: { type: 'short', field: 'context' },
  'build/additional_contexts': pairs,
  'build/args': pairs,
  'build/extra_hosts': union,
  'build/labels': pairs,
  'build/secrets': keyed(grantOf('/run/secrets')),
  'build/ssh': pairs,
  command: replace,
  configs: keyed(grantOf('/')),
  depends_on: STARTED,
  'deploy/labels': pairs,
  devices: keyed(targetOf),
  dns: union,
  dns_search: union,
  entrypoint: replace,
  env_file: keyed(pathOf),
  environment: pairs,
  extra_hosts: union,
  'healthcheck/test': replace,
  label_file: union,
  labels: pairs,
  logging: { type: 'logging' },
  models: NAMED_NULL,
  networks: NAMED_NULL,
  ports: keyed(portOf),
  secrets: keyed(grantOf('/run/secrets')),
  sysctls: pairs,
  tmpfs: keyed((item) => (textOf(item) ?? '').split(':')[0] ?? ''),
  volumes: keyed(targetOf),
}

const RULES: ReadonlyMap<string, MergeRule> = new Map([
  ...Object.entries(SERVICE).map(([name, rule]) => [`/services/*/${name}`, rule] as const),
  ['/networks/*/labels', pairs],
  ['/volumes/*/labels', pairs],
  ['/secrets/*/labels', pairs],
  ['/configs/*/labels', pairs],
  ['/networks/*/ipam/config', keyed((item) => part(item, 'subnet'))],
  ['/x-glovebox/routes', keyed((item) => part(item, 'name'))],
])

export function ruleOf(pattern: string): MergeRule | undefined {
  return RULES.get(pattern)
}

/** Sections whose keys are names of the user. */
const SECTIONS: ReadonlySet<string> = new Set(['/services', '/networks', '/volumes', '/secrets', '/configs', '/models'])

export function childPattern(pattern: string, key: string): string {
  return SECTIONS.has(pattern) ? `${pattern}/*` : `${pattern}/${key}`
}

/** Fields where a single text stands for a list of one. */
export function isKeyedByText(rule: MergeRule): boolean {
  return rule.type === 'keyed' || rule.type === 'union'
}
