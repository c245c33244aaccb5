import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'

import { systemCodeOf } from '#base'

import type { ProcessPort } from './port.ts'

/** Real processes. Detached: in a session of their own, so that what ends the daemon does not end them. */
export function nodeProcesses(): ProcessPort {
  return {
    spawn: async (command, args, logPath) => {
      const log = openSync(logPath, 'a', 0o600)
      try {
        const child = spawn(command, args, { detached: true, stdio: ['ignore', log, log], cwd: '/' })
        const { promise, resolve, reject } = Promise.withResolvers<number>()
        child.once('error', reject)
        child.once('spawn', () => resolve(child.pid ?? 0))
        child.unref()
        return await promise
      } finally {
        closeSync(log)
      }
    },
    isAlive: (pid, mark) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
        // A zombie has no arguments any more; neither has, for a moment, one that replaces itself, as HAProxy does to reload.
        return words.length > 1 ? words.includes(mark) : !isDead(readFileSync(`/proc/${pid}/stat`, 'utf8'))
      } catch {
        return false
      }
    },
    signal: (pid, signal) => {
      try {
        process.kill(pid, signal)
      } catch (error) {
        if (systemCodeOf(error) !== 'ESRCH') throw error
      }
    },
  }
}

/** proc(5): the state is the field after the command's name, which may itself hold parentheses. */
function isDead(stat: string): boolean {
  return /^ [ZX]/.test(stat.slice(stat.lastIndexOf(')') + 1))
}
