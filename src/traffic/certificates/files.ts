import { mkdirSync, readFileSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { join } from 'node:path'

import { systemCodeOf } from '#base'

/** Keys and certificates in one directory, of which nobody else reads. */
export interface KeyFiles {
  /** undefined: there is none. */
  read(name: string): string | undefined
  /** There after any death once it returned. */
  write(name: string, text: string): Promise<void>
}

export function keyFiles(directory: string): KeyFiles {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  return {
    read: (name) => {
      try {
        return readFileSync(join(directory, name), 'utf8')
      } catch (error) {
        if (systemCodeOf(error) === 'ENOENT') return undefined
        throw error
      }
    },
    write: async (name, text) => {
      const path = join(directory, name)
      await using file = await open(`${path}.tmp`, 'w', 0o600)
      await file.writeFile(text)
      await file.sync()
      await rename(`${path}.tmp`, path)
    },
  }
}
