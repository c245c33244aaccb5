import type { ValueSource } from './secret-model.ts'

/** What the readers of a file's parts need to know besides the part. */
export interface ReadContext {
  readonly stackName: string
  /** null: no such file. */
  readonly readFile: (path: string) => string | null
  /** Keys of the top-level sections. */
  readonly networks: readonly string[]
  readonly volumes: readonly string[]
  /** By key; null: somebody else made it. */
  readonly secrets: Readonly<Record<string, ValueSource | null>>
  readonly configs: Readonly<Record<string, ValueSource | null>>
}
