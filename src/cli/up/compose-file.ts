import { dirname, join, resolve } from 'node:path'

import { type ComposeReading, type NamedText, parseEnvFile, readCompose } from '#cluster/spec'

import type { CliContext } from '../command.ts'
import { findComposeFiles, readNamed, readOrNull, type Variables } from './find-compose.ts'

export interface ComposeChoice {
  /** A directory or a file; undefined: here, or in a directory above. */
  readonly place: string | undefined
  /** Named one by one; the later ones go on top. */
  readonly files?: readonly string[]
  readonly stackName: string | undefined
  readonly profiles: readonly string[]
  /** Instead of `.env`. */
  readonly envFiles?: readonly string[]
  readonly projectDirectory?: string | undefined
}

/** Finds and reads the Compose files. Errors: `cli.not_found`, and those of `#cluster/spec`. */
export async function readComposeFile(choice: ComposeChoice, context: Pick<CliContext, 'cwd' | 'env'>): Promise<ComposeReading> {
  const { cwd, env } = context
  const named = namedEnvFiles(choice, context)
  const here = named ?? dotEnvOf(resolve(cwd, choice.projectDirectory ?? '.'), env)
  const variables = variablesOf(here, env)
  const paths = findComposeFiles({ place: choice.place, files: choice.files ?? [], cwd, variables })
  const [first, ...overrides] = paths.map(readNamed)
  const directory = choice.projectDirectory === undefined ? dirname(paths[0] ?? cwd) : resolve(cwd, choice.projectDirectory)
  const profiles = [...choice.profiles, ...(variables('COMPOSE_PROFILES') ?? '').split(',')].filter((profile) => profile !== '')
  return await readCompose({
    path: first?.path ?? '',
    text: first?.text ?? '',
    overrides,
    directory,
    environment: env,
    dotEnv: null,
    envFiles: named ?? dotEnvOf(directory, env),
    stackName: choice.stackName ?? null,
    profiles: profiles.length === 0 ? null : profiles,
    readFile: readOrNull,
  })
}

/** Those that the user named, on the command line or in COMPOSE_ENV_FILES; undefined: none. */
function namedEnvFiles(
  { envFiles = [] }: ComposeChoice,
  { cwd, env }: Pick<CliContext, 'cwd' | 'env'>,
): readonly NamedText[] | undefined {
  const named = envFiles.length > 0 ? envFiles : (env['COMPOSE_ENV_FILES'] ?? '').split(',').filter((path) => path !== '')
  return named.length === 0 ? undefined : named.map((path) => readNamed(resolve(cwd, path)))
}

function dotEnvOf(directory: string, env: NodeJS.ProcessEnv): readonly NamedText[] {
  if (/^(?:1|true|yes|on)$/i.test(env['COMPOSE_DISABLE_ENV_FILE'] ?? '')) return []
  const path = join(directory, '.env')
  const text = readOrNull(path)
  return text === null ? [] : [{ path, text }]
}

/** What says where the files are may itself be in an environment file. Its errors are told when it is read for the model. */
function variablesOf(files: readonly NamedText[], env: NodeJS.ProcessEnv): Variables {
  const values = Object.assign({}, ...files.map(({ text }) => parseEnvFile(text, (name) => env[name]).values)) as Record<
    string,
    string
  >
  return (name) => env[name] ?? (Object.hasOwn(values, name) ? values[name] : undefined)
}
