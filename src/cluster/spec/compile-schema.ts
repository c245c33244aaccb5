import type { SchemaValidator } from './schema-error.ts'

/**
 * Compiles the official Compose schema, and that of our own extension, when they are first needed: about 150 ms. The build puts the text of
 * `standaloneValidator` in the place of this file, which takes 10 ms and leaves the compiler out of the bundle.
 */
export async function compileSchema(): Promise<SchemaValidator> {
  const [{ Ajv }, { default: compose }, { default: extension }] = await Promise.all([
    import('ajv'),
    import('./compose-spec.schema.json', { with: { type: 'json' } }),
    import('./x-glovebox.schema.json', { with: { type: 'json' } }),
  ])
  // The schema names its draft by another URL than Ajv knows it by, so it is not itself validated.
  const ajv = new Ajv({ allErrors: true, strict: false, validateSchema: false, validateFormats: false })
  const validators = [ajv.compile(compose), ajv.compile(extension)]
  return (value) => validators.flatMap((validate) => (validate(value) ? [] : (validate.errors ?? [])))
}
