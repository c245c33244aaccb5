import { compileSchema } from './compile-schema.ts'
import { specError } from './errors.ts'
import { parseEnvFile } from './env-file.ts'
import { field } from './fields.ts'
import { interpolate, type Lookup } from './interpolate.ts'
import { loadFile } from './load-file.ts'
import { mergeNodes } from './merge.ts'
import type { Loading } from './open-file.ts'
import { describeProblem, gatherProblems, type Problem } from './problems.ts'
import { readStack, type StackReading } from './read-stack.ts'
import type { SchemaValidator } from './schema-error.ts'
import { childOf, textOf, withoutMarks, type Origin, type SourceNode, type Spot } from './source-node.ts'
import { isStackName, stackNameOfDirectory } from './stack-name.ts'
import { readYaml } from './yaml-source.ts'

export interface ComposeInput {
  /** As messages name it. */
  readonly path: string
  readonly text: string
  /** Files that go on top of the first one, in this order. Their relative paths start where those of the first one do. */
  readonly overrides?: readonly NamedText[]
  /** Absolute directory of the project: where relative paths start. */
  readonly directory: string
  /** The caller's environment. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Text of the project's `.env`; null: there is none. The environment wins over it. */
  readonly dotEnv: string | null
  /** Instead of `.env`: those that the user named. The later ones win. */
  readonly envFiles?: readonly NamedText[]
  /** null: from COMPOSE_PROJECT_NAME, the file's `name`, or the directory. */
  readonly stackName: string | null
  /** Enabled profiles; `*` enables all. Null: those of COMPOSE_PROFILES. */
  readonly profiles: readonly string[] | null
  /** Text of a file by its absolute path; null: no such file. For `env_file`, `extends`, `include` and the like. */
  readonly readFile: (path: string) => string | null
}

export interface NamedText {
  readonly path: string
  readonly text: string
}

export interface ComposeReading extends StackReading {
  /** Odd but accepted, such as a variable that is not set. */
  readonly warnings: readonly string[]
  /** Absolute paths of the files that the named ones extend and include. */
  readonly furtherFiles: readonly string[]
  /** The file that all of them are together: merged, with variables filled in, and before defaults. */
  readonly merged: SourceNode
}

/** Reads a Compose file. Throws `compose.invalid` with all its problems, each as `file:line:column …`, one a line. */
export async function readCompose(input: ComposeInput): Promise<ComposeReading> {
  return readComposeWith(input, await compileSchema())
}

/** The same for those who read many files: the form is compiled once. */
export function readComposeWith(input: ComposeInput, validate: SchemaValidator): ComposeReading {
  const problems = gatherProblems()
  const loading: Loading = {
    problems,
    validate,
    unset: new Set(),
    readFile: input.readFile,
    seen: new Set(),
    opened: { count: 0 },
  }
  const files = [{ path: input.path, text: input.text }, ...(input.overrides ?? [])]
  const configFiles = files.map(({ path }) => path)
  const originOf = (file: string, lookup: Lookup): Origin => ({ file, directory: input.directory, lookup })
  const topOf = (file: string): Spot => ({ origin: originOf(file, () => undefined), line: 1, column: 1 })
  const outer = outerLookup(input, (message) => problems.addAt(topOf(input.path), message))
  const name = chooseName(input, files, outer, (spot, message) => problems.addAt(spot ?? topOf(input.path), message))
  const lookup: Lookup = (variable) => (variable === 'COMPOSE_PROJECT_NAME' ? name : outer(variable))
  let merged: SourceNode | undefined
  for (const { path, text } of files) {
    const file = loadFile(text, originOf(path, lookup), loading)
    if (file !== undefined) merged = merged === undefined ? file : mergeNodes(merged, file)
  }
  if (merged === undefined) throw invalid(problems.list(configFiles))
  const model = withoutMarks(merged)
  const profiles = input.profiles ?? (lookup('COMPOSE_PROFILES') ?? '').split(',').filter((profile) => profile !== '')
  const { directory, readFile } = input
  const stack = readStack(field(problems.in(model), model, ''), { name, directory, configFiles, profiles, readFile })
  if (problems.list(configFiles).length > 0) throw invalid(problems.list(configFiles))
  return {
    ...stack,
    merged: model,
    furtherFiles: [...loading.seen],
    warnings: [...loading.unset].map((variable) => `the variable ${variable} is not set: it reads as an empty text`),
  }
}

function outerLookup(input: ComposeInput, complain: (message: string) => void): Lookup {
  const own: Lookup = (name) => input.environment[name]
  const files = input.envFiles ?? (input.dotEnv === null ? [] : [{ path: '.env', text: input.dotEnv }])
  const values: Record<string, string> = {}
  for (const { path, text } of files) {
    const parsed = parseEnvFile(text, (name) => own(name) ?? (Object.hasOwn(values, name) ? values[name] : undefined))
    for (const error of parsed.errors) complain(`${path} ${error}`)
    Object.assign(values, parsed.values)
  }
  return (name) => own(name) ?? (Object.hasOwn(values, name) ? values[name] : undefined)
}

/** In the order of Compose: what the caller says, the environment, the files (the last that has one), the directory. */
function chooseName(
  input: ComposeInput,
  files: readonly NamedText[],
  lookup: Lookup,
  complain: (spot: Spot | undefined, message: string) => void,
): string {
  const named = files
    .map(({ path, text }) =>
      childOf(readYaml(text, { file: path, directory: input.directory, lookup }, gatherProblems()), 'name'),
    )
    .findLast((node) => textOf(node) !== undefined)
  const fromFile = named === undefined ? undefined : interpolate(textOf(named) ?? '', lookup).text
  const chosen =
    input.stackName ?? nonEmpty(lookup('COMPOSE_PROJECT_NAME')) ?? nonEmpty(fromFile) ?? stackNameOfDirectory(input.directory)
  if (chosen !== undefined && isStackName(chosen)) return chosen
  const what =
    chosen === undefined
      ? `the directory ${input.directory} gives no stack name`
      : `${JSON.stringify(chosen)} is not a stack name`
  complain(
    chosen !== undefined && chosen === fromFile ? named?.spot : undefined,
    `${what}: use lower-case letters, digits, - and _, a letter or digit first`,
  )
  return chosen ?? 'unnamed'
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text
}

function invalid(problems: readonly Problem[]) {
  return specError('compose.invalid', problems.map(describeProblem).join('\n'), { details: { problems } })
}
