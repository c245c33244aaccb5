import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Mounts a file system of this size, in memory, as the root of a daemon. */
export function smallDisk(bytes: number): (directory: string) => Disposable {
  return (directory) => {
    const root = join(directory, 'root')
    mkdirSync(root)
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'small-disk', root])
    return { [Symbol.dispose]: () => void execFileSync('umount', [root]) }
  }
}

/** Takes all but so many bytes of the disk, until disposed of. */
export function fill(root: string, leaveBytes: number): Disposable {
  const path = join(root, 'filler')
  const { bavail, bsize } = statfsSync(root)
  const blocks = Math.max(0, bavail - Math.ceil(leaveBytes / bsize))
  writeFileSync(path, Buffer.alloc(blocks * bsize))
  return { [Symbol.dispose]: () => rmSync(path, { force: true }) }
}
