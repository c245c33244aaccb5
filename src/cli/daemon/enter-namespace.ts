import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs'
import { cpus } from 'node:os'

import { invariant, systemCodeOf } from '#base'

import { cliError } from '../errors.ts'
import { namespacePin, pinnedToEach, pinPlan, pinState, type ProgramCall, slavePlan, unpinPlan } from './enter-plan.ts'
import { findProgram, mustRun, runProgram } from './programs.ts'

const MOUNTINFO = '/proc/self/mountinfo'

/** Makes the instance's mount namespace if it is not there. Idempotent, also after a kill in the middle. */
export async function pinNamespace(runDir: string, env: NodeJS.ProcessEnv): Promise<void> {
  const pin = namespacePin(runDir)
  mkdirSync(pin.directory, { recursive: true, mode: 0o700 })
  const state = pinState(readFileSync(MOUNTINFO, 'utf8'), pin)
  for (const call of pinPlan(pin, state)) {
    if (call.program !== 'unshare') {
      await mustRun(call, env)
      continue
    }
    // The file must lie on the private mount, so it is made after that.
    closeSync(openSync(pin.file, 'a', 0o600))
    await makeNamespace(call, env)
  }
  await mustRun(slavePlan(pin), env)
}

/**
 * A namespace can only be pinned in an older one, which the kernel tells by their numbers. Linux 6.18 hands those out in lots, one for each
 * processor: inside a namespace that is not the first (a container, a chroot of one's own) a newer one may have a lower number. On the
 * processor with the highest lot it has not.
 */
async function makeNamespace(call: ProgramCall, env: NodeJS.ProcessEnv): Promise<void> {
  const attempts = [call, ...pinnedToEach(cpus().length, call)]
  let output = ''
  for (const attempt of attempts) {
    const finished = await runProgram(attempt, { env })
    if (finished.code === 0) return
    output ||= finished.output.trim()
  }
  throw cliError('cli.failed', `make a mount namespace (${call.program} ${call.args.join(' ')}): ${output}`)
}

/** Gives up the namespace. What still runs in it keeps it until it ends. */
export async function unpinNamespace(runDir: string, env: NodeJS.ProcessEnv): Promise<void> {
  const pin = namespacePin(runDir)
  for (const call of unpinPlan(pin, pinState(readFileSync(MOUNTINFO, 'utf8'), pin))) await mustRun(call, env)
  rmSync(pin.directory, { recursive: true, force: true })
}

export function isNamespacePinned(runDir: string): boolean {
  return pinState(readFileSync(MOUNTINFO, 'utf8'), namespacePin(runDir)).isPinned
}

/** Becomes `call` inside the instance's namespace: same process, other program. Does not return. */
export function becomeInside(runDir: string, call: ProgramCall, env: NodeJS.ProcessEnv): never {
  const nsenter = findProgram('nsenter', env)
  if (nsenter === undefined)
    throw cliError('cli.host_incomplete', 'nsenter is not installed', { hint: 'It is part of the package util-linux.' })
  invariant(process.execve !== undefined, 'this Node can execve')
  const words = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined)) as Record<string, string>
  try {
    return process.execve(nsenter, [nsenter, `--mount=${namespacePin(runDir).file}`, '--', call.program, ...call.args], words)
  } catch (error) {
    throw cliError('cli.failed', `execute ${nsenter}: ${systemCodeOf(error) ?? String(error)}`, { cause: error })
  }
}
