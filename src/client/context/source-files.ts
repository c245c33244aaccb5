import type { ScanMemory } from './scan-memory.ts'

/** How a process reaches the files of whoever builds: its own, unless it reads for another. */
export interface SourceFiles {
  /** Where it finds what is at a path in which no directory is a link. Errors: its own, when it cannot be sure. */
  at(path: string): string
  /** Asked between two files: something to wait for when others should have a turn. */
  readonly turn?: () => Promise<void> | undefined
  /** What the last look at a directory found. */
  readonly remembered?: (root: string) => ScanMemory
}

export const OWN_FILES: SourceFiles = { at: (path) => path }
