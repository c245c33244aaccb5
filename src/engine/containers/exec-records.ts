import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

import type { Context } from './context.ts'
import { execDirOf } from './paths.ts'
import type { ExecRecord } from './port.ts'
import { namesIn } from './sweep.ts'

/**
 * What a next daemon finds of an exec, beside the shim's own records in the same directory: `exec.json` from before its process is there, which becomes
 * `ended.json` once its end has been told of. None is synced: no process outlives the machine.
 */
const RUNNING = 'exec.json'
const ENDED = 'ended.json'

export interface FoundExec {
  readonly dir: string
  /** Undefined: a health probe, or one that was killed before it was written. Nobody can ask for it. */
  readonly record: ExecRecord | undefined
  /** Its end has been told of. */
  readonly isTold: boolean
}

export function writeExecRecord(context: Context, record: ExecRecord): void {
  const dir = execDirOf(context, record.containerId, record.id)
  const path = join(dir, RUNNING)
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  writeFileSync(`${path}.tmp`, JSON.stringify(record), { mode: 0o600 })
  renameSync(`${path}.tmp`, path)
}

/** Quietly: the container may have ended, and everything of it have gone. */
export function markExecTold(context: Context, { containerId, id }: ExecRecord): void {
  const dir = execDirOf(context, containerId, id)
  try {
    renameSync(join(dir, RUNNING), join(dir, ENDED))
  } catch {
    return
  }
}

export function removeExecDir(context: Context, containerId: string, id: string): void {
  rmSync(execDirOf(context, containerId, id), { recursive: true, force: true })
}

export function findExecs(context: Context, containerId: string): readonly FoundExec[] {
  const parent = dirname(execDirOf(context, containerId, 'any'))
  return namesIn(parent).map((name) => {
    const dir = join(parent, name)
    const ended = readRecord(join(dir, ENDED))
    return { dir, record: ended ?? readRecord(join(dir, RUNNING)), isTold: ended !== undefined }
  })
}

function readRecord(path: string): ExecRecord | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as ExecRecord
  } catch {
    // Not there. Nothing else is renamed to this name than what was written whole.
    return undefined
  }
}
