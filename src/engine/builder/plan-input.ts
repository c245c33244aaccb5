import type { Dockerfile } from '#oci/dockerfile'
import type { Platform } from '#oci/image'

import type { NamedContexts } from './named-contexts.ts'
import type { RunNetwork } from './ports.ts'

/** What a build may do beyond what a container may. */
export type Entitlement = 'network.host' | 'security.insecure'

export interface PlanInput {
  readonly dockerfile: Dockerfile
  readonly buildArgs: ReadonlyMap<string, string>
  /** Name or number of a stage; the last by default. */
  readonly target: string | undefined
  readonly platform: Platform
  readonly buildPlatform: Platform
  readonly labels: Readonly<Record<string, string>>
  readonly network: RunNetwork
  /** False reports findings of the checks where `# check=error=true` would end the build. */
  readonly failsOnFindings: boolean
  readonly entitlements: ReadonlySet<Entitlement>
  /** Contexts that the build was given by name. */
  readonly namedContexts?: NamedContexts
  /** Whether the ignore file leaves a path of the context out. */
  readonly isIgnored: (path: string) => boolean
}
