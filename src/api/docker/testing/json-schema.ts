export type Schema = Readonly<Record<string, unknown>>

/**
 * A Swagger 2 document with its schemas as JSON schemas that are as strict as Go's encoder allows:
 * - "may be null" is an extension in Swagger. Beyond what it marks, Go writes null for every list, map and structure behind a pointer that is
 *   empty, whether the description says so or not, and clients know; texts, numbers and flags are null only where it is said.
 * - a structure has the fields that are described and no others, so that a misspelt field is found. For that `allOf` is merged into one.
 */
export function closedSchemas(document: unknown): Schema {
  const root = document as Schema
  return closed(root, root) as Schema
}

function closed(node: unknown, root: Schema): unknown {
  if (Array.isArray(node)) return node.map((item) => closed(item, root))
  if (!isSchema(node)) return node
  const whole = merged(node, root)
  const copy = Object.fromEntries(
    Object.entries(whole)
      .filter(([key]) => key !== 'default')
      .map(([key, value]) => [key, key === 'properties' || key === 'definitions' ? each(value, root) : closed(value, root)]),
  )
  return nullable(sealed(copy))
}

/** Names below are the user's, not keywords: a property may be called `default`. */
function each(map: unknown, root: Schema): Schema {
  return Object.fromEntries(Object.entries(map as Schema).map(([name, schema]) => [name, closed(schema, root)]))
}

function sealed(schema: Schema): Schema {
  return isSchema(schema['properties']) && schema['additionalProperties'] === undefined
    ? { ...schema, additionalProperties: false }
    : schema
}

function nullable(schema: Schema): Schema {
  const { type, enum: values } = schema
  if (typeof type !== 'string' || schema['x-nullable'] === false) return schema
  if (type !== 'array' && type !== 'object' && schema['x-nullable'] !== true) return schema
  return { ...schema, type: [type, 'null'], ...(Array.isArray(values) ? { enum: [...(values as unknown[]), null] } : {}) }
}

/** `allOf` of objects as one object; of anything else its only member. */
function merged(schema: Schema, root: Schema): Schema {
  const parts = schema['allOf']
  if (!Array.isArray(parts)) return schema
  const { allOf: _, ...own } = schema
  const all = [...(parts as Schema[]).map((part) => merged(resolved(part, root), root)), own]
  const properties = Object.assign({}, ...all.map((part) => part['properties'] ?? {})) as Schema
  const required = all.flatMap((part) => (part['required'] as string[] | undefined) ?? [])
  const flat = Object.assign({}, ...all) as Schema
  return {
    ...flat,
    ...(Object.keys(properties).length === 0 ? {} : { type: 'object', properties }),
    ...(required.length === 0 ? {} : { required }),
  }
}

function resolved(schema: Schema, root: Schema): Schema {
  const ref = schema['$ref']
  if (typeof ref !== 'string') return schema
  const target = ref
    .slice(2)
    .split('/')
    .reduce<unknown>((at, name) => (at as Schema)[name], root)
  return target as Schema
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
