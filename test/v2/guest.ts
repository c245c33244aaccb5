import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { untilTrue } from '../kernel/daemon-fixture.ts'

const UNIFIED = '/sys/fs/cgroup'

/** Words of a file of a control group, undefined when there is none. */
export function groupFile(group: string, file: string): string | undefined {
  const path = join(UNIFIED, group, file)
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined
}

export function hasGroup(group: string): boolean {
  return existsSync(join(UNIFIED, group))
}

/** `key value` lines. */
export function figureOf(text: string | undefined, key: string): number {
  return Number(new RegExp(`^${key} (\\d+)$`, 'm').exec(text ?? '')?.[1] ?? Number.NaN)
}

/** What a restart of the machine takes: processes, groups, mounts, and the run directory. */
export async function forgetAsByReboot(runDir: string, group: string): Promise<void> {
  const directory = join(UNIFIED, group)
  writeFileSync(join(directory, 'cgroup.kill'), '1')
  for (const pid of processesNaming(runDir)) process.kill(pid, 'SIGKILL')
  await untilTrue(
    10_000,
    () => figureOf(groupFile(group, 'cgroup.events'), 'populated') === 0 && processesNaming(runDir).length === 0,
  )
  removeGroups(directory)
  for (const mount of [`${runDir}/ns/mnt`, `${runDir}/ns`]) spawnSync('umount', ['-l', mount])
  rmSync(runDir, { recursive: true, force: true })
}

function processesNaming(directory: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(directory)
      } catch {
        return false
      }
    })
    .map(Number)
}

function removeGroups(directory: string): void {
  for (const entry of readdirSync(directory, { withFileTypes: true }))
    if (entry.isDirectory()) removeGroups(join(directory, entry.name))
  rmdirSync(directory)
}
