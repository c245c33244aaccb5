import { mkdirSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** Where files live for as long as one operation runs; what a crash leaves there goes at the next start. */
export interface TemporaryPlaces {
  next(name: string): string
  clear(): Promise<void>
}

export function temporaryPlaces(root: string): TemporaryPlaces {
  const directory = join(root, 'tmp', 'images')
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  let sequence = 0
  return {
    next: (name) => {
      sequence += 1
      return join(directory, `${name}-${sequence}`)
    },
    clear: async () => {
      await rm(directory, { recursive: true, force: true })
      await mkdir(directory, { recursive: true, mode: 0o700 })
    },
  }
}
