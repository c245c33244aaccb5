import { GloveboxError, parseBytes } from '#base'

import { logError } from './errors.ts'
import { readTagTemplate, type TagTemplate } from './tag.ts'

export type LogDriver = 'json-file' | 'local' | 'none'

/** What the options of a log driver mean; null: nothing is kept. */
export interface LogPolicy {
  /** A file is rotated before it would grow beyond this; null: never. */
  readonly maxBytes: number | null
  /** The one that is written to included. */
  readonly maxFiles: number
  /** Rotated files are gzipped. */
  readonly isCompressed: boolean
  /** Output that waits in memory for a slow disk, and is lost beyond this; null: the container waits instead. */
  readonly queueBytes: number | null
  readonly attributes: AttributeChoice
}

/** Which labels and variables are written with each line. */
export interface AttributeChoice {
  readonly labels: readonly string[]
  readonly labelsPattern: RegExp | null
  readonly env: readonly string[]
  readonly envPattern: RegExp | null
  readonly tag: TagTemplate | null
}

const KNOWN: Readonly<Record<Exclude<LogDriver, 'none'>, ReadonlySet<string>>> = {
  'json-file': new Set('max-size max-file compress mode max-buffer-size labels labels-regex env env-regex tag'.split(' ')),
  local: new Set(['max-size', 'max-file', 'compress', 'mode', 'max-buffer-size']),
}

const MIB = 1024 * 1024
/** As dockerd's: what its documentation promises of `local`. */
const LOCAL_DEFAULTS = { maxBytes: 20 * MIB, maxFiles: 5, isCompressed: true }
const DEFAULT_QUEUE_BYTES = MIB
/** A queue is memory of the host, beside what the container may take. */
const MAX_QUEUE_BYTES = 1024 * MIB
/** Each rotation renames all of them. */
const MAX_FILES = 1000
const MAX_PATTERN_CHARACTERS = 256

/** Error: `log.driver_unsupported`. */
export function readLogDriver(name: string): LogDriver {
  if (name === 'json-file' || name === 'local' || name === 'none') return name
  throw logError('log.driver_unsupported', `the log driver ${JSON.stringify(name)} is not supported`, {
    hint: 'Use json-file, local or none.',
  })
}

/** Errors: `log.driver_unsupported`, `log.option_unknown`, `log.option_invalid`. */
export function readLogOptions(name: string, options: Readonly<Record<string, string>>): LogPolicy | null {
  const driver = readLogDriver(name)
  const unknown = Object.keys(options).find((name) => driver === 'none' || !KNOWN[driver].has(name))
  if (unknown !== undefined) throw logError('log.option_unknown', `unknown log opt '${unknown}' for ${driver} log driver`)
  if (driver === 'none') return null
  const defaults = driver === 'local' ? LOCAL_DEFAULTS : { maxBytes: null, maxFiles: 1, isCompressed: false }
  const maxBytes = sizeOf(options, 'max-size') ?? defaults.maxBytes
  const maxFiles = countOf(options) ?? defaults.maxFiles
  const isCompressed = flagOf(options, 'compress') ?? (defaults.isCompressed && maxFiles > 1)
  if (maxFiles > 1 && maxBytes === null) throw invalid('log opt max-file needs max-size: without it a log is never rotated')
  if (isCompressed && (maxFiles < 2 || maxBytes === null))
    throw invalid('log opt compress needs max-size, and max-file of 2 or more: only rotated files are compressed')
  return { maxBytes, maxFiles, isCompressed, queueBytes: queueOf(options), attributes: attributesOf(options) }
}

function sizeOf(options: Readonly<Record<string, string>>, name: string): number | null {
  const text = options[name]
  // Docker's own "no limit".
  if (text === undefined || text === '-1') return null
  try {
    const bytes = parseBytes(text, `log opt ${name}`)
    if (bytes > 0) return bytes
  } catch (cause) {
    throw cause instanceof GloveboxError ? invalid(cause.message) : cause
  }
  throw invalid(`invalid log opt ${name}=${text}: a log file holds at least a byte`)
}

function countOf({ 'max-file': text }: Readonly<Record<string, string>>): number | null {
  if (text === undefined) return null
  const count = /^[1-9]\d{0,4}$/.test(text) ? Number(text) : 0
  if (count >= 1 && count <= MAX_FILES) return count
  throw invalid(`invalid log opt max-file=${text}: not a number of files from 1 to ${MAX_FILES}`)
}

function flagOf(options: Readonly<Record<string, string>>, name: string): boolean | null {
  const text = options[name]
  if (text === undefined) return null
  if (/^(?:1|t|true)$/i.test(text)) return true
  if (/^(?:0|f|false)$/i.test(text)) return false
  throw invalid(`invalid log opt ${name}=${text}: neither true nor false`)
}

function queueOf(options: Readonly<Record<string, string>>): number | null {
  const { mode = 'blocking', 'max-buffer-size': size } = options
  if (mode !== 'blocking' && mode !== 'non-blocking')
    throw invalid(`invalid log opt mode=${mode}: logger: logging mode not supported: use blocking or non-blocking`)
  if (mode === 'blocking') {
    if (size !== undefined) throw invalid('logger: max-buffer-size option is only supported with mode=non-blocking')
    return null
  }
  const bytes = sizeOf(options, 'max-buffer-size') ?? DEFAULT_QUEUE_BYTES
  if (bytes > MAX_QUEUE_BYTES) throw invalid(`invalid log opt max-buffer-size=${size ?? ''}: more than 1g of memory`)
  return bytes
}

function attributesOf(options: Readonly<Record<string, string>>): AttributeChoice {
  const names = (name: string) => (options[name] ?? '').split(',').filter((one) => one !== '')
  return {
    labels: names('labels'),
    labelsPattern: patternOf(options, 'labels-regex'),
    env: names('env'),
    envPattern: patternOf(options, 'env-regex'),
    tag: options['tag'] === undefined || options['tag'] === '' ? null : readTagTemplate(options['tag']),
  }
}

/** Repeated groups are refused: they can keep an engine with backtracking busy for ever. */
function patternOf(options: Readonly<Record<string, string>>, name: string): RegExp | null {
  const text = options[name]
  if (text === undefined || text === '') return null
  if (text.length > MAX_PATTERN_CHARACTERS || /\)[*+{]|\\[1-9k]/.test(text))
    throw invalid(`invalid log opt ${name}: groups cannot be repeated or referred to`)
  try {
    return new RegExp(text)
  } catch (cause) {
    throw invalid(`invalid log opt ${name}=${text}: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
}

function invalid(message: string): GloveboxError {
  return logError('log.option_invalid', message)
}
