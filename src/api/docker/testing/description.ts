import { readFileSync } from 'node:fs'

import { Ajv, type ErrorObject } from 'ajv'
import { parse } from 'yaml'

const FILE = new URL('../../../../test/client/reference/docker-engine-api-v1.51.yaml.txt', import.meta.url)

/** Checks values against the definitions of the API description, each error with its path. */
export function apiDescription(): { check(definition: string, value: unknown): readonly string[] } {
  const { definitions } = parse(readFileSync(FILE, 'utf8')) as { definitions: object }
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false })
  ajv.addSchema({ $id: 'api', definitions: prepared(definitions) })
  return {
    check: (definition, value) => {
      const validate = ajv.getSchema(`api#/definitions/${definition}`)
      if (validate === undefined) throw new Error(`the description has no ${definition}`)
      // What a client sees: no undefined, no bigint.
      const isValid = validate(JSON.parse(JSON.stringify(value)))
      return isValid === true ? [] : (validate.errors ?? []).map(told)
    },
  }
}

function told(error: ErrorObject): string {
  return `${error.instancePath} ${error.message ?? ''}`
}

/**
 * Swagger says "may be null" by an extension, and Go writes null for every empty list and map whether the description says so or not:
 * clients know. So what is not required may be null.
 */
function prepared(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(prepared)
  if (typeof node !== 'object' || node === null) return node
  const copy = Object.fromEntries(
    Object.entries(node)
      .filter(([key]) => key !== 'example' && key !== 'default' && key !== 'description')
      .map(([key, value]) => [key, prepared(value)]),
  )
  if (typeof copy['type'] !== 'string' || copy['x-nullable'] === false) return copy
  const { enum: values, ...rest } = copy
  const isObjectOnly = Array.isArray(values) && values.every((value) => typeof value === 'object')
  return {
    ...rest,
    type: [copy['type'], 'null'],
    ...(values === undefined || isObjectOnly ? {} : { enum: [...(values as unknown[]), null] }),
  }
}
