/** What Ajv says of one violation. */
export interface SchemaError {
  readonly instancePath: string
  readonly keyword: string
  readonly params: Readonly<Record<string, unknown>>
  readonly message?: string
}

export type SchemaValidator = (value: unknown) => readonly SchemaError[]
