import type { Lookup } from './interpolate.ts'

/** What the readers of a file's parts need to know besides the part. */
export interface ReadContext {
  readonly stackName: string
  /** Absolute; relative paths of the file start here. */
  readonly directory: string
  readonly lookup: Lookup
  /** null: no such file. */
  readonly readFile: (path: string) => string | null
  /** Keys of the top-level sections. */
  readonly networks: readonly string[]
  readonly volumes: readonly string[]
  /** Source paths of file-based secrets and configs by name. */
  readonly secretFiles: Readonly<Record<string, string>>
  readonly configFiles: Readonly<Record<string, string>>
  /** Variables that secrets are taken from, by the secret's name; only builds can be given these. */
  readonly secretVariables: Readonly<Record<string, string>>
}
