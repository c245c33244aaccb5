import { spawn } from 'node:child_process'
import { openSync, readFileSync } from 'node:fs'

/** The program that starts the daemon again when it dies, as it was when this daemon began. */
export interface Supervisor {
  /** It died. The kernel tells us so by SIGTERM, which it asked for on our behalf. */
  isGone(): boolean
  /** A new one, with the same words: it will start the next daemon as soon as this one has let go. */
  startAnew(): void
}

/** Undefined: this daemon runs in somebody's foreground. */
export function ourSupervisor(): Supervisor | undefined {
  const pid = process.ppid
  const [program, ...args] = commandOf(pid)
  if (program === undefined || args[0] !== 'supervise') return undefined
  const namespace = openSync(`/proc/${pid}/ns/mnt`, 'r')
  return {
    isGone: () => process.ppid !== pid,
    startAnew: () => {
      // Back to the mount namespace of the old one, the host's: the next daemon finds its own way into ours.
      const words = ['--mount=/proc/self/fd/3', '--', program, ...args]
      spawn('nsenter', words, { detached: true, stdio: ['ignore', 'ignore', 'ignore', namespace], cwd: '/' }).unref()
    },
  }
}

function commandOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1)
  } catch {
    // It died before we looked; SIGTERM is on its way.
    return []
  }
}
