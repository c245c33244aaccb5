import { createRequire } from 'node:module'

import { buildSync } from 'esbuild'

/** For the build alone: an ES module with the same face as `compile-schema.ts`, whose validator was compiled beforehand. Needs no package at run time. */
export function standaloneValidator(): string {
  const require = createRequire(import.meta.url)
  const { Ajv } = require('ajv') as typeof import('ajv')
  const standalone = require('ajv/dist/standalone') as { default: typeof import('ajv/dist/standalone/index.js').default }
  const schemas = ['./compose-spec.schema.json', './x-glovebox.schema.json'].map(
    (path) => withoutProse(require(path), false) as object,
  )
  const ajv = new Ajv({
    allErrors: true,
    strict: false,
    validateSchema: false,
    validateFormats: false,
    inlineRefs: false,
    code: { source: true, esm: true },
  })
  schemas.forEach((schema, index) => ajv.addSchema(schema, NAMES[index]))
  const exported = Object.fromEntries(NAMES.map((name) => [name, name]))
  const contents = `${standalone.default(ajv, exported)}
export async function compileSchema() {
  return (value) => [${NAMES.join(', ')}].flatMap((validate) => (validate(value) ? [] : (validate.errors ?? [])))
}`
  const { outputFiles } = buildSync({
    stdin: { contents, resolveDir: import.meta.dirname },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['main'],
    logLevel: 'silent',
  })
  return outputFiles[0]?.text ?? ''
}

/** Of what the generated module exports, in the order of the schemas. */
const NAMES = ['compose', 'extension'] as const

const PROSE = ['description', 'title', 'deprecated']
const NAMED = ['properties', 'patternProperties', 'definitions']

/** Descriptions are a third of the schema. `isNames`: the keys of this object are the user's, not the schema language's. */
function withoutProse(value: unknown, isNames: boolean): unknown {
  if (Array.isArray(value)) return value.map((item) => withoutProse(item, false))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => isNames || !PROSE.includes(key))
      .map(([key, child]) => [key, withoutProse(child, !isNames && NAMED.includes(key))]),
  )
}
