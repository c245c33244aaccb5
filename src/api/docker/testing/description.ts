import { readFileSync } from 'node:fs'

import { Ajv, type ErrorObject } from 'ajv'
import { parse } from 'yaml'

import { closedSchemas, type Schema } from './json-schema.ts'
import { QUIRKS } from './quirks.ts'

/** Minor numbers of the versions that are described here. */
export const DESCRIBED = [41, 51, 56] as const

/** The description of one version of the API, as far as programs can check it. */
export interface ApiDescription {
  /** `GET /containers/{id}/json` */
  readonly operations: readonly string[]
  /** Names of the fields of a definition, or of the body of an operation, those that it takes from others included. */
  fields(place: string): readonly string[]
  /** What is wrong with a value of a definition, each with its path; empty: nothing. */
  check(definition: string, value: unknown): readonly string[]
  /** The same for an answer: its status must be described, and its body must be what that status promises. Undefined: no body. */
  checkAnswer(operation: string, status: number, body: unknown): readonly string[]
}

interface Operation {
  readonly parameters?: readonly { readonly in: string; readonly schema?: object }[]
  readonly responses: Readonly<Record<string, { readonly schema?: object }>>
}

interface File {
  readonly definitions: Readonly<Record<string, Schema>>
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

const METHODS = ['get', 'head', 'post', 'put', 'delete']

/** The description of the version asked for, or else of the next one that there is. */
export function apiDescription(minor: number = 51): ApiDescription {
  const described = DESCRIBED.find((known) => known >= minor) ?? DESCRIBED[2]
  const file = new URL(`../../../../test/client/reference/docker-engine-api-v1.${described}.yaml`, import.meta.url)
  const { definitions, paths } = closedSchemas(parse(readFileSync(file, 'utf8'))) as unknown as File
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false })
  ajv.addSchema({ $id: 'api', definitions, paths })
  const checkAt = (pointer: string, value: unknown) => {
    const validate = ajv.getSchema(`api#/${pointer}`)
    if (validate === undefined) throw new Error(`the description of 1.${described} has no ${pointer}`)
    // What a client sees: no undefined, no bigint.
    const isValid = validate(JSON.parse(JSON.stringify(value)))
    const findings = isValid === true ? [] : (validate.errors ?? []).map(told)
    return findings.filter((finding) => !QUIRKS.some(({ finding: known, until = 99 }) => minor <= until && known.test(finding)))
  }
  return {
    operations: Object.entries(paths).flatMap(([path, methods]) =>
      METHODS.filter((method) => method in methods).map((method) => `${method.toUpperCase()} ${path}`),
    ),
    fields: (place) => Object.keys(propertiesOf(schemaAt({ definitions, paths }, place), definitions)),
    check: (definition, value) => checkAt(`definitions/${definition}`, value),
    checkAnswer: (operation, status, body) => {
      const [method = '', path = ''] = operation.split(' ')
      const lower = method.toLowerCase()
      const responses = paths[path]?.[lower]?.responses
      if (responses === undefined) return [`${operation} is not described in 1.${described}`]
      const response = responses[String(status)]
      if (response === undefined) return [`status ${status} is not described`]
      if (response.schema === undefined || body === undefined) return []
      const pointer = path.replaceAll('/', '~1')
      return checkAt(`paths/${encodeURIComponent(pointer)}/${lower}/responses/${status}/schema`, body)
    },
  }
}

/** `Volume`, or `POST /volumes/create` for the body of it. */
function schemaAt({ definitions, paths }: File, place: string): Schema {
  const [method = '', path] = place.split(' ')
  if (path === undefined) return definitions[place] ?? {}
  const parameters = paths[path]?.[method.toLowerCase()]?.parameters ?? []
  return (parameters.find((parameter) => parameter.in === 'body')?.schema ?? {}) as Schema
}

function propertiesOf(schema: Schema, definitions: File['definitions']): object {
  const ref = schema['$ref']
  const target = typeof ref === 'string' ? (definitions[ref.split('/').at(-1) ?? ''] ?? {}) : schema
  return (target['properties'] as object | undefined) ?? {}
}

function told({ instancePath, message, params }: ErrorObject): string {
  const extra = 'additionalProperty' in params ? `: ${String(params['additionalProperty'])}` : ''
  return `${instancePath} ${message ?? ''}${extra}`
}
