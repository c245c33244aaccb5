import type { SchemaValidator } from './schema-error.ts'

/**
 * Compiles the official Compose schema when it is first needed: about 140 ms. The build puts the text of `standaloneValidator`
 * in the place of this file, which takes 10 ms and leaves the compiler out of the bundle.
 */
export async function compileSchema(): Promise<SchemaValidator> {
  const [{ Ajv }, { default: schema }] = await Promise.all([
    import('ajv'),
    import('./compose-spec.schema.json', { with: { type: 'json' } }),
  ])
  // The schema names its draft by another URL than Ajv knows it by, so it is not itself validated.
  const ajv = new Ajv({ allErrors: true, strict: false, validateSchema: false, validateFormats: false })
  const validate = ajv.compile(schema)
  return (value) => (validate(value) ? [] : (validate.errors ?? []))
}
