import { readFileSync } from 'node:fs'

import { messageOf } from '#base'

import { cliError } from '../errors.ts'

/** `NAME=VALUE`; without `=` the value is empty. */
export function pairs(words: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    words.map((word) => {
      const at = word.indexOf('=')
      return at === -1 ? [word, ''] : [word.slice(0, at), word.slice(at + 1)]
    }),
  )
}

/** Files first, flags on top. A name alone is taken from our own environment, and left out when it is not set there. */
export function environment(files: readonly string[], words: readonly string[], env: NodeJS.ProcessEnv): string[] {
  return [...files.flatMap((path) => fileLines(path, '--env-file')), ...words].flatMap((word) => {
    if (word.includes('=')) return [word]
    const value = env[word]
    return value === undefined ? [] : [`${word}=${value}`]
  })
}

/** `NAME=VALUE` lines of files. */
export function labelFileWords(files: readonly string[]): string[] {
  return files.flatMap((path) => fileLines(path, '--label-file'))
}

function fileLines(path: string, flag: string): string[] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw cliError('cli.failed', `${flag}: ${messageOf(error)}`, { cause: error })
  }
  const lines = text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .map((line) => line.trimStart().replace(/\r$/, ''))
  return lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line, i) => checkName(line, `${flag}: ${path}: line ${i + 1}`))
}

function checkName(line: string, place: string): string {
  const name = line.split('=')[0] ?? ''
  if (name !== '' && !/\s/.test(name)) return line
  throw cliError('cli.usage', `${place}: ${JSON.stringify(name)} is not a name`)
}
