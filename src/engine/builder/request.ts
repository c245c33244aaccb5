import type { Digest } from '#base'
import type { Platform } from '#oci/image'

import type { BuildContext } from './context.ts'
import type { CacheSource, CacheTarget } from './exchange/cache-places.ts'
import type { Annotation } from './outputs/annotations.ts'
import type { BuildOutput } from './outputs/output.ts'
import type { FileTree } from './file-tree.ts'
import type { Entitlement } from './plan-input.ts'
import type { Credentials, RunLimits, RunNetwork } from './ports.ts'

export interface BuildRequest {
  readonly context: BuildContext
  readonly tags?: readonly string[]
  readonly buildArgs?: ReadonlyMap<string, string>
  readonly target?: string
  /** What names stand for, as `namedContext` reads them; fetched before anything is planned. */
  readonly contexts?: ReadonlyMap<string, string>
  /** Directories of the client that names stand for. */
  readonly directories?: ReadonlyMap<string, GivenDirectory>
  /** One image for each; this machine's by default. */
  readonly platforms?: readonly Platform[]
  readonly labels?: Readonly<Record<string, string>>
  /** False does every step anew, and keeps the results. */
  readonly isCacheUsed?: boolean
  /** Names or numbers of stages of which every step is done anew. */
  readonly uncachedStages?: readonly string[]
  readonly cacheFrom?: readonly CacheSource[]
  readonly cacheTo?: readonly CacheTarget[]
  /** Asks the registries for newer bases. */
  readonly isPullForced?: boolean
  readonly network?: RunNetwork
  readonly limits?: RunLimits
  readonly entitlements?: ReadonlySet<Entitlement>
  /** By id, for `RUN --mount=type=secret`. */
  readonly secrets?: ReadonlyMap<string, Buffer>
  /** Sockets of SSH agents on this machine by id, for `RUN --mount=type=ssh`. */
  readonly sshAgents?: ReadonlyMap<string, string>
  /** Where the result goes; among this machine's images by default. */
  readonly outputs?: readonly BuildOutput[]
  /** On manifests and indices of what leaves this machine. */
  readonly annotations?: readonly Annotation[]
  readonly provenance?: 'min' | 'max'
  readonly hasSbom?: boolean
  /** Asked with the name of a registry's image, for what is pushed and fetched. */
  readonly credentialsFor?: (reference: string) => Credentials | null
  /** Takes what an output sends to the client; done when the client has it all. */
  readonly deliver?: (output: Delivery) => Promise<void>
  readonly signal?: AbortSignal
}

export interface GivenDirectory {
  readonly tree: FileTree
  /** Set: the directory is an OCI layout, and this the tag or digest of the image in it; empty is the only one, or `latest`. */
  readonly layout: string | undefined
}

/** A file that a client takes while the build waits. */
export interface Delivery {
  /** The number of the output in the request. */
  readonly output: number
  readonly stream: AsyncIterable<Buffer>
}

export interface BuildOutcome {
  /** Of the first platform. */
  readonly imageId: Digest
}
