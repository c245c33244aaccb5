import schema from '../../src/cluster/spec/compose-spec.schema.json' with { type: 'json' }

type Node = Readonly<Record<string, unknown>>

/** Where the specification's mappings have names of the user. */
const NAMED = ['services', 'networks', 'volumes', 'secrets', 'configs', 'models']

/** Every field of the Compose specification as `services.*.deploy.mode`, with `*` for a name and `[]` for an item of a list. Extensions are none. */
export function schemaFields(): readonly string[] {
  const found = new Set<string>()
  visit(schema, '', found, [])
  return [...found]
}

function visit(node: Node, path: string, found: Set<string>, refs: readonly string[]): void {
  const ref = node['$ref']
  if (typeof ref === 'string') {
    const name = ref.replace('#/definitions/', '')
    const target = (schema.definitions as Readonly<Record<string, Node>>)[name]
    if (target !== undefined && !refs.includes(name)) visit(target, path, found, [...refs, name])
  }
  for (const [name, child] of Object.entries((node['properties'] ?? {}) as Readonly<Record<string, Node>>)) {
    const at = path === '' ? name : `${path}.${name}`
    found.add(at)
    visit(child, at, found, refs)
  }
  for (const [pattern, child] of Object.entries((node['patternProperties'] ?? {}) as Readonly<Record<string, Node>>))
    if (pattern !== '^x-') visit(child, NAMED.includes(path.split('.').at(-1) ?? '') ? `${path}.*` : path, found, refs)
  for (const choice of [...list(node['oneOf']), ...list(node['anyOf'])]) visit(choice, path, found, refs)
  const items = node['items']
  if (typeof items === 'object' && items !== null) visit(items as Node, `${path}[]`, found, refs)
}

function list(value: unknown): readonly Node[] {
  return Array.isArray(value) ? (value as readonly Node[]) : []
}
