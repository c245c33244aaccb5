import { existsSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

import type { CliContext } from '../command.ts'
import { cliError } from '../errors.ts'
import { daemonArguments, type DaemonChoice } from './daemon-arguments.ts'
import { REQUIREMENTS } from './host-packages.ts'
import { ensurePrograms } from './install-packages.ts'
import { daemonLogSince, daemonLogTail, logFileOf, pidFileOf, supervisorPid } from './instance-state.ts'
import { runProgram } from './programs.ts'
import { ensureSupervisor } from './supervisor-program.ts'

/** A loaded machine with thousands of containers to adopt. */
const START_TIMEOUT_MS = 60_000
const FIRST_POLL_MS = 10
const MAX_POLL_MS = 200

/** Starts the daemon in the background unless one answers. Resolves to whether it had to. Errors: `cli.daemon_died`, `cli.host_incomplete`. */
export async function startDaemon(context: CliContext, choice: DaemonChoice = {}): Promise<boolean> {
  const client = await context.client()
  if (await client.system.isAnswering()) return false
  if (context.instance.tcp !== undefined)
    throw cliError(
      'cli.daemon_died',
      `no daemon answers at ${context.instance.tcp}, and one elsewhere cannot be started from here`,
    )
  requireRoot()
  await ensurePrograms(REQUIREMENTS, context)
  const supervisor = await ensureSupervisor(context)
  if (!existsSync(join(context.home, 'build/daemon.js')))
    throw cliError('cli.daemon_died', `the daemon is not built: ${join(context.home, 'build/daemon.js')} is missing`, {
      hint: 'Build it with `npm run build`.',
    })
  const { instance } = context
  mkdirSync(instance.runDir, { recursive: true, mode: 0o711 })
  const logSize = sizeOf(logFileOf(instance))
  if (supervisorPid(instance) === undefined) await supervise(supervisor, context, choice)
  await waitUntilAnswering(context, logSize)
  return true
}

export function requireRoot(): void {
  if (process.getuid?.() === 0) return
  throw cliError('cli.denied', 'the daemon needs root: it mounts, makes namespaces and sets limits', {
    hint: 'Run it with sudo.',
  })
}

async function supervise(supervisor: string, context: CliContext, choice: DaemonChoice): Promise<void> {
  const { instance } = context
  const daemon = [
    process.execPath,
    join(context.home, 'build/cli.cjs'),
    'daemon',
    '--no-install',
    ...daemonArguments(instance, '--instance-name', choice),
  ]
  const args = ['supervise', '--pid-file', pidFileOf(instance), '--log', logFileOf(instance), '--', ...daemon]
  const { code, output } = await runProgram({ program: supervisor, args }, { env: context.env, cwd: '/' })
  // Two starts at once: the other one was faster, and its daemon is as good.
  if (code === 0 || output.includes('already running')) return
  throw cliError('cli.daemon_died', `start the daemon's supervisor: ${output.trim()}`)
}

async function waitUntilAnswering(context: CliContext, logSize: number): Promise<void> {
  const { clock, instance } = context
  const client = await context.client()
  const deadlineMs = clock.monotonicMs() + START_TIMEOUT_MS
  for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(MAX_POLL_MS, pollMs * 1.3)) {
    if (await client.system.isAnswering()) return
    const died = diedSince(instance, logSize)
    const isLate = clock.monotonicMs() > deadlineMs
    if (died || isLate) {
      const pid = supervisorPid(instance)
      if (pid !== undefined) process.kill(pid, 'SIGTERM')
      throw cliError(
        'cli.daemon_died',
        `the daemon ${died ? 'ended at once' : `did not answer within ${START_TIMEOUT_MS / 1000} s`}. Its last words:\n${daemonLogTail(instance, 15)}`,
        {
          hint: `The whole log is ${logFileOf(instance)}; \`glovebox doctor\` examines the host.`,
        },
      )
    }
    await clock.sleep(pollMs)
  }
}

/** The supervisor writes a line of its own when the daemon ends. What the log held before is of former lives. */
function diedSince(instance: CliContext['instance'], logSize: number): boolean {
  const written = daemonLogSince(instance, logSize)
  if (written === '') return false
  return supervisorPid(instance) === undefined || /^glovebox-shim: .*(exited with code|was killed by)/m.test(written)
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
