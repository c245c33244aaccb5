import type { BuildEvent, BuildRequest } from '../../src/engine/builder/index.ts'
import type { FakeCommand, FakeFiles } from '../../src/engine/builder/fake-ports.ts'
import type { FakeCommit, FakePage } from '../../src/engine/builder/fake-remote.ts'
import type { RunSpec } from '../../src/engine/builder/ports.ts'
import type { ImageConfig, ImageProcessConfig } from '../../src/oci/image/index.ts'
import type { TarEntry } from '../../src/oci/tar/index.ts'

/** What a build of a row came to. */
export interface Built {
  readonly config: ImageProcessConfig
  readonly image: ImageConfig
  /** Path to text, `-> target` of a link, null for a directory. */
  readonly files: Readonly<Record<string, string | null>>
  readonly runs: readonly RunSpec[]
  readonly warnings: readonly string[]
  readonly events: readonly BuildEvent[]
  entry(path: string): Promise<TarEntry | undefined>
}

/** One thing of the Dockerfile language: what we say of it, and a build that shows it. */
export interface Row {
  readonly area: string
  readonly item: string
  /** `differs`: works, and otherwise than with BuildKit; the note says how. */
  readonly state: 'yes' | 'differs' | 'refused'
  readonly note?: string
  readonly dockerfile: string
  readonly files?: FakeFiles
  readonly bases?: Readonly<Record<string, { readonly files?: FakeFiles; readonly config?: Partial<ImageProcessConfig> }>>
  readonly pages?: Readonly<Record<string, FakePage>>
  /** By remote and ref, `HEAD` where none is asked for. */
  readonly repositories?: Readonly<Record<string, Record<string, FakeCommit>>>
  readonly options?: Omit<Partial<BuildRequest>, 'context'>
  readonly command?: (spec: RunSpec) => FakeCommand
  /** Throws when it is not so. */
  readonly expect?: (built: Built) => void | Promise<void>
  readonly error?: { readonly code: string; readonly says?: RegExp }
}
