import type { Dockerfile } from '#oci/dockerfile'
import type { Platform } from '#oci/image'

import type { RunMount, RunNetwork } from './ports.ts'

export interface PlanInput {
  readonly dockerfile: Dockerfile
  readonly buildArgs: ReadonlyMap<string, string>
  /** Name or number of a stage; the last by default. */
  readonly target: string | undefined
  readonly platform: Platform
  readonly buildPlatform: Platform
  readonly labels: Readonly<Record<string, string>>
  readonly network: RunNetwork
  readonly mountKinds: ReadonlySet<RunMount['kind']>
  /** Whether the ignore file leaves a path of the context out. */
  readonly isIgnored: (path: string) => boolean
}
