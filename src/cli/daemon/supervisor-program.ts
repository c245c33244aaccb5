import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

import type { CliContext } from '../command.ts'
import { cliError } from '../errors.ts'
import { COMPILER } from './host-packages.ts'
import { ensurePrograms } from './install-packages.ts'
import { runProgram } from './programs.ts'

/** The path of the compiled supervisor, compiling it when it is absent or older than its sources. */
export async function ensureSupervisor(context: CliContext): Promise<string> {
  const path = join(context.home, 'build/native/glovebox-shim')
  if (isUpToDate(path, join(context.home, 'native'))) return path
  await ensurePrograms(COMPILER, context)
  const built = await runProgram(
    { program: process.execPath, args: [join(context.home, 'tools/build-native.ts')] },
    { env: context.env, cwd: context.home },
  )
  if (built.code !== 0) throw cliError('cli.host_incomplete', `compile the container supervisor:\n${built.output.trim()}`)
  return path
}

function isUpToDate(path: string, sources: string): boolean {
  const built = modifiedMs(path)
  if (built === undefined) return false
  try {
    return readdirSync(sources).every((name) => (modifiedMs(join(sources, name)) ?? 0) <= built)
  } catch {
    // An installation without sources uses what it came with.
    return true
  }
}

function modifiedMs(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs
}
