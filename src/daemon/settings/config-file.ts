import { readFileSync } from 'node:fs'

import { fail, messageOf, systemCodeOf } from '#base'

import { placeOfKey } from './place-of-key.ts'

export const DEFAULT_CONFIG_PATH = '/etc/glovebox/daemon.json'

/** Settings of nobody are as long as this. */
const MAX_CONFIG_BYTES = 1024 * 1024

export type Values = Readonly<Record<string, string | readonly string[] | undefined>>

export interface ConfigFile {
  readonly values: Values
  /** `FILE:LINE:COLUMN` of a key. */
  place(key: string): string
}

export interface ConfigKeys {
  /** Whether a key takes a list. */
  readonly known: Readonly<Record<string, { readonly isList: boolean }>>
  /** Said on the command line only, and why. */
  readonly refused: Readonly<Record<string, string>>
}

/**
 * The daemon's flags without their dashes, as keys of one JSON object: text, or a list of texts where a flag may be given again. null: there
 * is no such file. Error: `input.invalid`, with the place.
 */
export function readConfigFile(path: string, keys: ConfigKeys): ConfigFile | null {
  const text = textOf(path)
  return text === null ? null : parseConfig(text, path, keys)
}

function textOf(path: string): string | null {
  try {
    const bytes = readFileSync(path)
    if (bytes.length <= MAX_CONFIG_BYTES) return bytes.toString('utf8')
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return null
    throw fail('input.invalid', `read ${path}: ${messageOf(error)}`, { cause: error })
  }
  throw fail('input.invalid', `${path}: more than ${MAX_CONFIG_BYTES} bytes`)
}

/** Error: `input.invalid`, with the place. */
export function parseConfig(text: string, path: string, { known, refused }: ConfigKeys): ConfigFile {
  const object = jsonObject(text, path)
  const place = (key: string) => `${path}:${placeOfKey(text, key)}`
  const check = ([key, value]: readonly [string, unknown]): readonly [string, string | readonly string[]] => {
    if (Object.hasOwn(refused, key))
      throw fail('input.invalid', `${place(key)}: ${key} is no setting of the file: ${refused[key]}`)
    const expected = Object.hasOwn(known, key) ? known[key] : undefined
    if (expected === undefined)
      throw fail('input.invalid', `${place(key)}: unknown key ${JSON.stringify(key)}`, {
        hint: `The keys are: ${Object.keys(known).join(', ')}.`,
      })
    if (expected.isList && isTexts(value)) return [key, value]
    if (!expected.isList && typeof value === 'string') return [key, value]
    throw fail('input.invalid', `${place(key)}: ${key} is not a ${expected.isList ? 'list of texts' : 'text'}`)
  }
  return { values: Object.fromEntries(Object.entries(object).map(check)), place }
}

function jsonObject(text: string, path: string): object {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw fail('input.invalid', `${path}: ${messageOf(error)}`, { cause: error })
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw fail('input.invalid', `${path}: not a JSON object`)
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}
