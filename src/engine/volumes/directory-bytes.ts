import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** Bytes that a tree takes on disk (blocks, hard links once). Files that vanish meanwhile do not count. */
export async function directoryBytes(path: string): Promise<number> {
  const seen = new Set<string>()
  const pending = [path]
  let bytes = 0
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    const entries = await readdir(directory, { withFileTypes: true }).catch(() => [])
    for (const entry of entries) {
      const child = join(directory, entry.name)
      if (entry.isDirectory()) pending.push(child)
      const stats = await lstat(child).catch(() => undefined)
      if (stats === undefined) continue
      const key = `${stats.dev}:${stats.ino}`
      if (stats.nlink > 1 && !entry.isDirectory()) {
        if (seen.has(key)) continue
        seen.add(key)
      }
      bytes += stats.blocks * 512
    }
  }
  return bytes
}
