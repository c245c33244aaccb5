import { interpolateValues } from './interpolate-values.ts'
import type { gatherProblems } from './problems.ts'
import type { SchemaValidator } from './schema-error.ts'
import { reportViolations } from './schema-validator.ts'
import { map, plain, type MapNode, type Origin } from './source-node.ts'
import { readYaml } from './yaml-source.ts'

/** What is shared by all files of one reading. */
export interface Loading {
  readonly problems: ReturnType<typeof gatherProblems>
  /** Of the specification's form. */
  readonly validate: SchemaValidator
  /** Variables that were not set anywhere and had no default. */
  readonly unset: Set<string>
  /** Text of a file by its absolute path; null: no such file. */
  readonly readFile: (path: string) => string | null
  /** How many files were opened, some of them again. */
  readonly opened: { count: number }
  /** Absolute paths of the files that the model came from beside those that were named. */
  readonly seen: Set<string>
}

/** A file that names others leads to more of them; a hundred are no application any more, but a mistake. */
export const MAX_FILES = 100

/** One file with its variables filled in and its form checked; `extends` and `include` are still in it. Undefined: it cannot be read. */
export function openFile(text: string, origin: Origin, loading: Loading): MapNode | undefined {
  const { problems, unset, validate } = loading
  loading.opened.count += 1
  if (loading.opened.count > MAX_FILES)
    return problems.addAt({ origin, line: 1, column: 1 }, `more than ${MAX_FILES} files are read for one application`)
  const raw = readYaml(text, origin, problems)
  if (raw === undefined) return undefined
  if (raw.kind !== 'map') return problems.addAt(raw.spot, 'the file must be a mapping')
  const complaints = problems.in(raw)
  const filled = interpolateValues(raw, complaints, unset)
  reportViolations(validate(plain(filled)), complaints)
  return filled.kind === 'map' ? filled : map(raw.spot, [])
}

/** Addresses of others are not fetched: what an application is has to be said here. */
export function isRemote(path: string): boolean {
  return /^(?:[a-z][a-z0-9+.-]*:\/\/|git@|github\.com\/)/i.test(path)
}
