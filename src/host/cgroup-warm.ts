import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Keeps one parked process and moves it to and fro. */
export interface CgroupWarmer extends Disposable {
  warm(): Promise<void>
}

/**
 * The first move of a process after a quiet time waits 12-24 ms for an RCU grace period (cgroup_threadgroup_rwsem). Moving
 * a process of ours makes that wait happen on a pool thread, while the client's next request is still under way.
 * Moving a thread of this process would do nothing: the kernel takes no lock for that.
 */
export function cgroupWarmer(mountPoint: string, ownPath: string): CgroupWarmer {
  const directory = join(mountPoint, ownPath)
  const sides = [join(directory, 'warm-a'), join(directory, 'warm-b')] as const
  let helper: ChildProcess | undefined
  let running: Promise<void> | undefined
  let side: 0 | 1 = 0

  const park = (): ChildProcess => {
    for (const path of sides) mkdirSync(path, { recursive: true })
    // Ends by itself with this process, however that ends: its input closes.
    const child = spawn('cat', [], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
    child.on('error', () => undefined)
    child.on('exit', () => {
      if (helper === child) helper = undefined
    })
    child.stdin.on('error', () => undefined)
    child.unref()
    if ('unref' in child.stdin && typeof child.stdin.unref === 'function') child.stdin.unref()
    return child
  }
  const move = async () => {
    helper ??= park()
    side = side === 0 ? 1 : 0
    if (helper.pid !== undefined) await writeFile(join(sides[side], 'cgroup.procs'), String(helper.pid))
  }
  return {
    warm: () => {
      running ??= move()
        // Only a matter of speed: a host on which it does not work is merely slower.
        .catch(() => undefined)
        .finally(() => (running = undefined))
      return running
    },
    [Symbol.dispose]: () => {
      const child = helper
      helper = undefined
      if (child === undefined) return
      // Back to the root first, so that the groups are empty now and not some time after the kill.
      const attempts = [
        () => writeFileSync(join(mountPoint, 'cgroup.procs'), String(child.pid)),
        ...[...sides, directory].map((path) => () => rmdirSync(path)),
      ]
      for (const attempt of attempts) {
        try {
          attempt()
        } catch {
          // In use by another process of the same instance, or gone.
        }
      }
      child.kill('SIGKILL')
    },
  }
}
