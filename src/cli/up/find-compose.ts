import { readFileSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

import { messageOf, systemCodeOf } from '#base'
import type { NamedText } from '#cluster/spec'

import { cliError } from '../errors.ts'

/** In the order in which Compose looks for them. */
const FILE_NAMES = ['compose.yaml', 'compose.yml', 'docker-compose.yaml', 'docker-compose.yml'] as const
/** What goes on top of the file beside them, when no file was named. */
const OVERRIDE_NAMES = [
  'compose.override.yaml',
  'compose.override.yml',
  'docker-compose.override.yaml',
  'docker-compose.override.yml',
] as const

export type Variables = (name: string) => string | undefined

export interface Sought {
  /** A directory or a file; undefined: here, or in a directory above. */
  readonly place: string | undefined
  readonly files: readonly string[]
  readonly cwd: string
  readonly variables: Variables
}

/** Absolute paths of the Compose files, the first one first. Errors: `cli.not_found`. */
export function findComposeFiles({ place, files, cwd, variables }: Sought): readonly string[] {
  if (files.length > 0) return files.map((file) => existing(resolve(cwd, file)))
  if (place !== undefined) return inPlace(resolve(cwd, place))
  const named = (variables('COMPOSE_FILE') ?? '').split(variables('COMPOSE_PATH_SEPARATOR') ?? ':').filter((file) => file !== '')
  if (named.length > 0) return named.map((file) => existing(resolve(cwd, file)))
  for (let directory = resolve(cwd); ; directory = dirname(directory)) {
    const found = inDirectory(directory)
    if (found.length > 0) return found
    if (directory === dirname(directory)) throw noFile(`${resolve(cwd)} or above`)
  }
}

function inPlace(path: string): readonly string[] {
  if (statSync(existing(path)).isDirectory()) {
    const found = inDirectory(path)
    if (found.length === 0) throw noFile(path)
    return found
  }
  return [path]
}

function inDirectory(directory: string): readonly string[] {
  const firstOf = (names: readonly string[]) =>
    names.map((name) => join(directory, name)).find((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true)
  const file = firstOf(FILE_NAMES)
  const override = firstOf(OVERRIDE_NAMES)
  return file === undefined ? [] : [file, ...(override === undefined ? [] : [override])]
}

function noFile(where: string): Error {
  return cliError('cli.not_found', `there is no Compose file in ${where}`, { hint: `It would be named ${FILE_NAMES[0]}.` })
}

function existing(path: string): string {
  if (statSync(path, { throwIfNoEntry: false }) === undefined)
    throw cliError('cli.not_found', `no such file or directory: ${path}`)
  return path
}

/** Errors: `cli.not_found`, `cli.failed`. */
export function readNamed(path: string): NamedText {
  const text = readOrNull(path)
  if (text === null) throw cliError('cli.not_found', `cannot read ${path}`)
  return { path, text }
}

export function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT' || systemCodeOf(error) === 'ENOTDIR') return null
    throw cliError('cli.failed', `read ${path}: ${messageOf(error)}`, { cause: error })
  }
}
