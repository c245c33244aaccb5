import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { readCgroupText } from './cgroup-changes.ts'

/** Where the processes of a container that we run in go, beside our own groups. */
const INIT_GROUP = 'glovebox-init'
/** A process that forks while it is moved leaves a child behind, which the next round takes. */
const ROUNDS = 10

/**
 * Inside a container the group that looks like the root is an ordinary one, and while processes are in it, it hands no controller
 * down (Documentation/admin-guide/cgroup-v2.rst, "No Internal Process Constraint"). So they move into a group below it. Does nothing
 * at the true root, which is exempt, and where all controllers are handed down already.
 */
export function vacateRoot(mountPoint: string, controllers: readonly string[]): void {
  // Only the true root has no such file.
  if (!existsSync(join(mountPoint, 'cgroup.events'))) return
  const enabled = new Set((readCgroupText(join(mountPoint, 'cgroup.subtree_control')) ?? '').split(/\s+/))
  if (controllers.every((controller) => enabled.has(controller))) return
  for (let round = 0; round < ROUNDS; round += 1) {
    // 0 is a process outside of our PID namespace: not ours to move.
    const pids = (readCgroupText(join(mountPoint, 'cgroup.procs')) ?? '').split('\n').filter((pid) => pid !== '' && pid !== '0')
    if (pids.length === 0) return
    mkdirSync(join(mountPoint, INIT_GROUP), { recursive: true })
    for (const pid of pids) {
      try {
        writeFileSync(join(mountPoint, INIT_GROUP, 'cgroup.procs'), pid, { flag: 'r+' })
      } catch {
        // It has ended, or may not be moved; then no controller is handed down, and the start of a container tells which is missing.
      }
    }
  }
}
