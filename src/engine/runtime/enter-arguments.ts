import type { RuntimeProcess } from '#oci/runtime-spec'

import { runtimeError } from './errors.ts'
import { capabilityMask, rlimitNumber } from './kernel-numbers.ts'
import type { RunningContainer } from './running-container.ts'
import type { ShimOptions } from './shim-arguments.ts'
import { subscriptionMask } from './shim-frames.ts'

/** What the shim takes of a request, its own words for the rest of it left off. */
const MAX_BYTES = 4 * 1024 * 1024 - 64
const DEFAULT_UMASK = 0o022

/**
 * What is told the shim below. Whatever else a process may have one day is refused until it is told as well: left out, it would be a process
 * with less around it than its container has.
 */
const TOLD = {
  terminal: true,
  consoleSize: true,
  user: true,
  args: true,
  env: true,
  cwd: true,
  capabilities: true,
  rlimits: true,
  noNewPrivileges: true,
  apparmorProfile: true,
  oomScoreAdj: true,
} satisfies Record<keyof RuntimeProcess, true>

/** Arguments of a shim that is to start a further process in a container, the mode included. Error: `runtime.start_failed` for what no process can be given. */
export function enterArguments(
  process: RuntimeProcess,
  container: RunningContainer,
  options: ShimOptions & { readonly isHeld?: boolean },
): readonly string[] {
  const { user, capabilities = {}, consoleSize } = process
  const untold = Object.keys(process).find((field) => !(field in TOLD))
  if (untold !== undefined) throw refused(`an exec cannot be given ${untold}`)
  for (const set of ['inheritable', 'ambient'] as const)
    if ((capabilities[set] ?? []).length > 0) throw refused(`an exec cannot be given ${set} capabilities`)
  const words = [
    ...['enter', '--dir', options.dir, '--pid', `${container.pid}`, '--start-ticks', `${container.startTicks}`],
    ...['--cgroup', container.cgroup],
    ...(container.filter === undefined
      ? []
      : ['--seccomp', container.filter.path, '--seccomp-flags', `${container.filter.flags}`]),
    ...['--uid', `${user.uid}`, '--gid', `${user.gid}`, '--umask', `${user.umask ?? DEFAULT_UMASK}`],
    ...(user.additionalGids ?? []).flatMap((gid) => ['--group', `${gid}`]),
    ...['--cwd', process.cwd],
    ...['--bounding', capabilityMask(capabilities.bounding), '--effective', capabilityMask(capabilities.effective)],
    ...['--permitted', capabilityMask(capabilities.permitted)],
    ...(process.rlimits ?? []).flatMap(({ type, soft, hard }) => ['--rlimit', `${rlimitNumber(type)}:${soft}:${hard}`]),
    ...(process.oomScoreAdj === undefined ? [] : ['--oom-score', `${process.oomScoreAdj}`]),
    ...(process.apparmorProfile === undefined ? [] : ['--apparmor', process.apparmorProfile]),
    ...(process.noNewPrivileges === true ? ['--no-new-privileges'] : []),
    ...(options.isTty ? ['--tty'] : []),
    ...(options.isTty && consoleSize !== undefined ? sizeWords(consoleSize) : []),
    ...(options.hasStdin ? ['--stdin'] : []),
    ...(options.isHeld === true ? ['--hold'] : []),
    ...(options.subscription === undefined ? [] : ['--subscribe', `${subscriptionMask(options.subscription)}`]),
    // A variable without a value is one that is not to be set.
    ...['--env', ...process.env.filter((entry) => entry.includes('='))],
    ...['--', ...process.args],
  ]
  check(words)
  return words
}

function sizeWords({ height, width }: { readonly height: number; readonly width: number }): readonly string[] {
  const bounded = (value: number) => `${Math.max(0, Math.min(0xffff, Math.trunc(value)))}`
  return ['--rows', bounded(height), '--columns', bounded(width)]
}

/** NUL ends an argument, here as in execve(2). */
function check(words: readonly string[]): void {
  const broken = words.find((word) => word.includes('\0'))
  if (broken !== undefined) throw refused(`${JSON.stringify(broken)} holds a NUL, which no argument can`)
  const bytes = words.reduce((sum, word) => sum + Buffer.byteLength(word) + 1, 0)
  if (bytes > MAX_BYTES) throw refused(`the command and its environment take ${bytes} bytes: ${MAX_BYTES} is the most`)
}

function refused(text: string) {
  return runtimeError('runtime.start_failed', text, { details: { exitCode: 126 } })
}
