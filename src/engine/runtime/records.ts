import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { messageOf, systemCodeOf } from '#base'

import { runtimeError } from './errors.ts'

/** What the shim tells and writes. Times are nanoseconds since 1970. */
export interface StartedRecord {
  /** Of the container's first process, in the daemon's process namespace. */
  readonly pid: number
  readonly startedAtNs: bigint
}

export interface ExitRecord {
  readonly pid: number
  /** 128 + signal when a signal ended it. 126 or 127 when the program could not be executed, as shells have it. */
  readonly exitCode: number
  readonly signal: number | undefined
  readonly startedAtNs: bigint
  readonly exitedAtNs: bigint
  /** The OCI runtime's words when the program turned out not to be executable after the start was reported. */
  readonly runtimeError: string | undefined
}

/** What DIR/state.json knows of a process; start ticks tell it from a later one with the same pid. */
export interface StateRecord extends StartedRecord {
  readonly shimPid: number
  readonly startTicks: number
}

type Fields = Readonly<Record<string, unknown>>

export function parseStarted(text: string): StartedRecord {
  const fields = parseFields(text)
  return { pid: numberIn(fields, 'pid'), startedAtNs: nanosecondsIn(fields, 'startedAtNs') }
}

export function parseExit(text: string): ExitRecord {
  const fields = parseFields(text)
  const runtimeText = fields['runtimeError']
  const failure = typeof runtimeText === 'string' ? runtimeText : undefined
  return {
    pid: numberIn(fields, 'pid'),
    exitCode: failure === undefined ? numberIn(fields, 'exitCode') : exitCodeOfFailure(failure),
    signal: fields['signal'] === null ? undefined : numberIn(fields, 'signal'),
    startedAtNs: nanosecondsIn(fields, 'startedAtNs'),
    exitedAtNs: nanosecondsIn(fields, 'exitedAtNs'),
    runtimeError: failure,
  }
}

export function parseState(text: string): StateRecord {
  const fields = parseFields(text)
  return { ...parseStarted(text), shimPid: numberIn(fields, 'shimPid'), startTicks: numberIn(fields, 'startTicks') }
}

/** The exit code by which shells and Docker tell why a program did not run at all: 127 not found, 126 not executable, 125 the rest. */
export function exitCodeOfFailure(text: string): number {
  if (/executable file .* not found|No such file or directory/i.test(text)) return 127
  return /permission denied|exec format error|is a directory|not a directory/i.test(text) ? 126 : 125
}

/** Undefined while there is none. A record that cannot be read as one counts as none: its writer renames whole files only. */
export async function readExitRecord(dir: string): Promise<ExitRecord | undefined> {
  return readRecord(join(dir, 'exit.json'), parseExit)
}

export async function readStateRecord(dir: string): Promise<StateRecord | undefined> {
  return readRecord(join(dir, 'state.json'), parseState)
}

async function readRecord<T>(path: string, parse: (text: string) => T): Promise<T | undefined> {
  try {
    return parse(await readFile(path, 'utf8'))
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCodeOf(error) ?? '')) return undefined
    throw runtimeError('runtime.protocol_broken', `read ${path}: ${messageOf(error)}`, { cause: error })
  }
}

function parseFields(text: string): Fields {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw runtimeError('runtime.protocol_broken', `the shim sent ${shown(text)}, which is not JSON`, { cause: error })
  }
  if (typeof value !== 'object' || value === null) throw runtimeError('runtime.protocol_broken', `the shim sent ${shown(text)}`)
  return value as Fields
}

/** So much of what the shim sent is repeated in an error message. */
const SHOWN_CHARACTERS = 200

const shown = (text: string) => JSON.stringify(text.slice(0, SHOWN_CHARACTERS))

function numberIn(fields: Fields, name: string): number {
  const value = fields[name]
  // Nobody else's business may come of it: a pid of -1 would be every process there is.
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw runtimeError('runtime.protocol_broken', `the shim's record has no number ${name}: ${shown(JSON.stringify(fields))}`)
}

function nanosecondsIn(fields: Fields, name: string): bigint {
  const value = fields[name]
  if (typeof value === 'string' && /^\d+$/.test(value)) return BigInt(value)
  throw runtimeError('runtime.protocol_broken', `the shim's record has no time ${name}: ${shown(JSON.stringify(fields))}`)
}
