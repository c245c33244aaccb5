import { readFileSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

import { messageOf, systemCodeOf } from '#base'
import { type ComposeReading, readCompose } from '#cluster/spec'

import type { CliContext } from '../command.ts'
import { cliError } from '../errors.ts'

/** In the order in which Compose looks for them. */
const FILE_NAMES = ['compose.yaml', 'compose.yml', 'docker-compose.yaml', 'docker-compose.yml'] as const

export interface ComposeChoice {
  /** A directory or a file; undefined: here. */
  readonly place: string | undefined
  readonly stackName: string | undefined
  readonly profiles: readonly string[]
}

/** Finds and reads the Compose file. Errors: `cli.not_found`, and those of `#cluster/spec`. */
export async function readComposeFile(choice: ComposeChoice, context: Pick<CliContext, 'cwd' | 'env'>): Promise<ComposeReading> {
  const file = findComposeFile(resolve(context.cwd, choice.place ?? '.'))
  const directory = dirname(file)
  const text = readOrNull(file)
  if (text === null) throw cliError('cli.not_found', `cannot read ${file}`)
  return await readCompose({
    path: file,
    text,
    directory,
    environment: context.env,
    dotEnv: readOrNull(join(directory, '.env')),
    stackName: choice.stackName ?? null,
    profiles: choice.profiles.length === 0 ? null : choice.profiles,
    readFile: readOrNull,
  })
}

function findComposeFile(place: string): string {
  const stats = statSync(place, { throwIfNoEntry: false })
  if (stats === undefined) throw cliError('cli.not_found', `no such file or directory: ${place}`)
  if (!stats.isDirectory()) return place
  const found = FILE_NAMES.map((name) => join(place, name)).find(
    (path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true,
  )
  if (found !== undefined) return found
  throw cliError('cli.not_found', `there is no Compose file in ${place}`, { hint: `It would be named ${FILE_NAMES[0]}.` })
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return null
    throw cliError('cli.failed', `read ${path}: ${messageOf(error)}`, { cause: error })
  }
}
