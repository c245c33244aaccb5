import { readFileSync } from 'node:fs'

import type { InstancePaths } from './paths.ts'

export function pidFileOf(instance: InstancePaths): string {
  return `${instance.runDir}/daemon.pid`
}

export function logFileOf(instance: InstancePaths): string {
  return `${instance.runDir}/daemon.log`
}

/** Process id of the instance's supervisor, undefined when none lives. A number left behind by a dead one is told by the command line. */
export function supervisorPid(instance: InstancePaths): number | undefined {
  const pid = Number(readOr(pidFileOf(instance)))
  if (!Number.isInteger(pid) || pid <= 1) return undefined
  const words = readOr(`/proc/${pid}/cmdline`).split('\0')
  return words.includes('supervise') && words.includes(pidFileOf(instance)) ? pid : undefined
}

export function isProcessAlive(pid: number): boolean {
  const stat = readOr(`/proc/${pid}/stat`)
  // The state is behind the name, which may hold anything, parentheses too. A zombie has ended.
  return stat !== '' && !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2))
}

/** What was written after the log was `size` bytes long; all of it when it has been rotated since. */
export function daemonLogSince(instance: InstancePaths, size: number): string {
  const log = Buffer.from(readOr(logFileOf(instance)))
  return log.subarray(log.length < size ? 0 : size).toString('utf8')
}

export function daemonLogTail(instance: InstancePaths, lines: number): string {
  return readOr(logFileOf(instance)).trimEnd().split('\n').slice(-lines).join('\n')
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
