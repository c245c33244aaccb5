import { statSync } from 'node:fs'
import { join } from 'node:path'

import type { CliContext } from '../command.ts'

/** Whether the daemon has been running since before its program was built. Its socket is as old as its start. */
export function isDaemonOlder({ home, instance }: Pick<CliContext, 'home' | 'instance'>): boolean {
  const bornMs = modifiedMs(instance.socketPath)
  const builtMs = modifiedMs(join(home, 'build/daemon.js'))
  return bornMs !== undefined && builtMs !== undefined && bornMs < builtMs
}

export const OLDER_DAEMON = 'the running daemon is older than this program'
export const RENEW_DAEMON = 'glovebox daemon stop --keep-containers && glovebox daemon start'

function modifiedMs(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs
}
