import { rmSync } from 'node:fs'
import { join } from 'node:path'

import type { CliContext } from '../command.ts'
import { cliError } from '../errors.ts'
import { isNamespacePinned, unpinNamespace } from './enter-namespace.ts'
import { isProcessAlive, logFileOf, pidFileOf, supervisorPid } from './instance-state.ts'
import { requireRoot, startDaemon } from './start-daemon.ts'

/** After its answer the daemon has nothing left to wait for. */
const LEAVE_TIMEOUT_MS = 20_000
const POLL_MS = 20

export interface Stopped {
  /** False: there was nothing to stop. */
  readonly wasRunning: boolean
  readonly stoppedContainers: number
  readonly leftovers: readonly string[]
}

/** Ends the daemon. With `stopContainers` all that it made on the host goes with it, except images and volumes under its root. */
export async function stopDaemon(context: CliContext, stopContainers: boolean): Promise<Stopped> {
  requireRoot()
  const { instance } = context
  const client = await context.client()
  let wasRunning = await client.system.isAnswering()
  if (!wasRunning && stopContainers && isNamespacePinned(instance.runDir)) {
    // Its containers outlive a daemon that was killed; only a daemon knows how to take them down.
    context.terminal.stderr.write('The daemon was not running, but its containers may be: starting it to end them.\n')
    wasRunning = await startDaemon(context)
  }
  const supervisor = supervisorPid(instance)
  const report = wasRunning ? await client.glovebox.shutdown({ stopContainers }) : undefined
  if (supervisor !== undefined) await end(context, supervisor, report?.pid)
  else if (report !== undefined) await waitForEnd(context, report.pid)
  rmSync(pidFileOf(instance), { force: true })
  if (stopContainers) await unpinNamespace(instance.runDir, context.env)
  const leftovers = report?.leftovers ?? []
  if (stopContainers && report !== undefined && leftovers.length === 0) sweep(instance.runDir)
  return { wasRunning, stoppedContainers: report?.stoppedContainers ?? 0, leftovers }
}

/** What the daemon keeps in its run directory beside its log. From out here they are plain files: mounts on them were in the namespace. */
const RUN_FILES = ['c', 'netns', 'oci', 'router', 'seccomp', 'spawn.sock']

function sweep(runDir: string): void {
  for (const name of RUN_FILES) rmSync(join(runDir, name), { recursive: true, force: true })
}

async function end(context: CliContext, supervisor: number, daemon: number | undefined): Promise<void> {
  // The daemon leaves with code 0 by itself, and its supervisor with it. The signal is for one that is between two lives.
  if (daemon === undefined) process.kill(supervisor, 'SIGTERM')
  else await waitForEnd(context, daemon)
  await waitForEnd(context, supervisor)
}

async function waitForEnd(context: CliContext, pid: number): Promise<void> {
  const deadlineMs = context.clock.monotonicMs() + LEAVE_TIMEOUT_MS
  while (isProcessAlive(pid)) {
    if (context.clock.monotonicMs() > deadlineMs)
      throw cliError('cli.timeout', `process ${pid} of the daemon did not end within ${LEAVE_TIMEOUT_MS / 1000} s`, {
        hint: `Its log is ${logFileOf(context.instance)}.`,
      })
    await context.clock.sleep(POLL_MS)
  }
}
