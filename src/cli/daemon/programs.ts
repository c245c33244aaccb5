import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'

import { messageOf } from '#base'

import { cliError } from '../errors.ts'
import type { ProgramCall } from './enter-plan.ts'

/** A user's PATH may lack the directories of the administrator's programs. */
const ALWAYS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

/** The full path of a program, or undefined. */
export function findProgram(name: string, env: NodeJS.ProcessEnv): string | undefined {
  const directories = [...new Set([...(env['PATH'] ?? '').split(':').filter((part) => part.startsWith('/')), ...ALWAYS])]
  return directories.map((directory) => join(directory, name)).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

export interface Finished {
  readonly code: number
  /** Standard output and error together, the end of it. */
  readonly output: string
}

/** Enough to see why something failed. */
const MAX_OUTPUT_CHARS = 64 * 1024

/** Runs a program to its end. `onOutput` sees each piece as it comes. */
export function runProgram(
  call: ProgramCall,
  options: { readonly env: NodeJS.ProcessEnv; readonly cwd?: string; readonly onOutput?: (text: string) => void },
): Promise<Finished> {
  const path = findProgram(call.program, options.env) ?? call.program
  return new Promise((resolve, reject) => {
    const child = spawn(path, call.args, {
      env: options.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    })
    let output = ''
    const take = (chunk: Buffer) => {
      const text = chunk.toString('utf8')
      options.onOutput?.(text)
      output = (output + text).slice(-MAX_OUTPUT_CHARS)
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    child.on('error', (error) => reject(cliError('cli.failed', `run ${call.program}: ${messageOf(error)}`, { cause: error })))
    child.on('close', (code, signal) => resolve({ code: code ?? (signal === null ? 1 : 128), output }))
  })
}

/** As `runProgram`, but anything other than 0 is an error that carries what the program said. */
export async function mustRun(call: ProgramCall, env: NodeJS.ProcessEnv): Promise<string> {
  const { code, output } = await runProgram(call, { env })
  if (code === 0) return output
  throw cliError('cli.failed', `${call.program} ${call.args.join(' ')}: ${output.trim() || `exit code ${code}`}`)
}
