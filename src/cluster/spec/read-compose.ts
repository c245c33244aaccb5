import { specError } from './errors.ts'
import { parseEnvFile } from './env-file.ts'
import { field } from './fields.ts'
import { interpolateValues } from './interpolate-values.ts'
import { interpolate, type Lookup } from './interpolate.ts'
import { describeProblem, gatherProblems, type Problem, type Problems } from './problems.ts'
import { readStack, type StackReading } from './read-stack.ts'
import { checkSchema } from './schema-validator.ts'
import { isStackName, stackNameOfDirectory } from './stack-name.ts'
import { readYaml } from './yaml-source.ts'

export interface ComposeInput {
  /** As messages name it. */
  readonly path: string
  readonly text: string
  /** Absolute directory of the project: where relative paths start. */
  readonly directory: string
  /** The caller's environment. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Text of the project's `.env`; null: there is none. The environment wins over it. */
  readonly dotEnv: string | null
  /** null: from COMPOSE_PROJECT_NAME, the file's `name`, or the directory. */
  readonly stackName: string | null
  /** Enabled profiles; `*` enables all. Null: those of COMPOSE_PROFILES. */
  readonly profiles: readonly string[] | null
  /** Text of a file by its absolute path; null: no such file. For `env_file`. */
  readonly readFile: (path: string) => string | null
}

export interface ComposeReading extends StackReading {
  /** Odd but accepted, such as a variable that is not set. */
  readonly warnings: readonly string[]
}

/** Reads a Compose file. Throws `compose.invalid` with all its problems, each as `file:line:column …`, one a line. */
export async function readCompose(input: ComposeInput): Promise<ComposeReading> {
  const yaml = readYaml(input.text)
  const problems = gatherProblems(input.path, yaml.positionOf)
  for (const problem of yaml.problems) problems.addAt(problem.position, problem.message)
  if (yaml.value === null || yaml.problems.length > 0) {
    if (yaml.value === null) problems.add('', 'the file is empty')
    throw invalid(problems.list())
  }
  const outer = outerLookup(input, problems)
  const name = chooseName(input, yaml.value, outer, problems)
  const lookup: Lookup = (variable) => (variable === 'COMPOSE_PROJECT_NAME' ? name : outer(variable))
  const unset = new Set<string>()
  const value = interpolateValues(yaml.value, '', lookup, problems, unset)
  await checkSchema(value, problems)
  const profiles = input.profiles ?? (lookup('COMPOSE_PROFILES') ?? '').split(',').filter((profile) => profile !== '')
  const { directory, readFile } = input
  const stack = readStack(field(problems, value, ''), { name, directory, configFiles: [input.path], profiles, lookup, readFile })
  if (problems.list().length > 0) throw invalid(problems.list())
  return { ...stack, warnings: [...unset].map((variable) => `the variable ${variable} is not set: it reads as an empty text`) }
}

function outerLookup(input: ComposeInput, problems: Problems): Lookup {
  const own: Lookup = (name) => input.environment[name]
  const dotEnv = parseEnvFile(input.dotEnv ?? '', own)
  for (const error of dotEnv.errors) problems.add('', `.env ${error}`)
  return (name) => own(name) ?? dotEnv.values[name]
}

/** In the order of Compose: what the caller says, the environment, the file, the directory. */
function chooseName(input: ComposeInput, file: unknown, lookup: Lookup, problems: Problems): string {
  const inFile = typeof file === 'object' && file !== null && 'name' in file ? file.name : undefined
  const fromFile = typeof inFile === 'string' ? interpolate(inFile, lookup).text : undefined
  const chosen =
    input.stackName ?? nonEmpty(lookup('COMPOSE_PROJECT_NAME')) ?? nonEmpty(fromFile) ?? stackNameOfDirectory(input.directory)
  if (chosen !== undefined && isStackName(chosen)) return chosen
  const what =
    chosen === undefined
      ? `the directory ${input.directory} gives no stack name`
      : `${JSON.stringify(chosen)} is not a stack name`
  problems.add(
    chosen !== undefined && chosen === fromFile ? '/name' : '',
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
