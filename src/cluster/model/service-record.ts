import type { KeyedSecretSpec, NetworkSpec, ServiceSpec, VolumeSpec } from '#cluster/spec'

import type { RolloutRecord } from './rollout-record.ts'

/** One service that is wanted. */
export interface ServiceRecord {
  readonly id: string
  /** Over the whole cluster: `stack_service`, or what `docker service create --name` says. */
  readonly name: string
  /** Name of its stack; null: it stands alone. */
  readonly stack: string | null
  readonly labels: Readonly<Record<string, string>>
  /** Number of the revision that is wanted. */
  readonly revision: number
  /** The one before, which a rollback leads back to; null: there was none. */
  readonly previousRevision: number | null
  /** Counts up with each scale; a revision's own number is what it began with. */
  readonly replicas: number
  /** `paused`: ended tasks start again, but nothing is replaced, scaled or rolled. `removing`: its tasks go, then the record. */
  readonly state: 'active' | 'paused' | 'removing'
  /** The change under way, or the last one; null: none yet. */
  readonly rollout: RolloutRecord | null
  /** When somebody last asked for it again: ends of tasks before do not count any more. Absent: never. */
  readonly forgivenAtMs?: number
  readonly createdAtMs: number
  readonly updatedAtMs: number
}

/** What a service was told to be at one time. Never changed; the youngest are kept, and all that tasks are of. */
export interface RevisionRecord {
  readonly serviceId: string
  readonly number: number
  readonly spec: ServiceSpec
  /** What the keys in the spec mean: as the stack said then, or with the name as key when there is no stack. */
  readonly parts: RevisionParts
  /** Content id of the image, pinned when the revision was made; null: not found yet. */
  readonly imageId: string | null
  /** Hash of what tasks are made from: revisions with the same one need no new tasks. */
  readonly templateHash: string
  /** Another number than that of the revision before makes new tasks though nothing changed. Absent: 0. */
  readonly forced?: number
  readonly createdAtMs: number
  /** Who asked for it: a user's name, or `glovebox` for a rollback by itself. */
  readonly by: string
}

/** The parts of a stack that one of its services names. */
export interface RevisionParts {
  readonly networks: readonly NetworkSpec[]
  readonly volumes: readonly VolumeSpec[]
  readonly secrets: readonly KeyedSecretSpec[]
  readonly configs: readonly KeyedSecretSpec[]
  /** Of secrets and configs when the revision was made, by `secret/NAME` and `config/NAME`: with a new version there are new tasks. */
  readonly versions: Readonly<Record<string, number>>
  /** Where the stack was read from, for the labels of containers. */
  readonly workingDir: string
  readonly configFiles: readonly string[]
  /** Nodes fetch the image when they have none. Absent: it has to be there. */
  readonly pulls?: boolean
  /** Texts of the task have placeholders, which are filled in for each. Absent: what looks like one is meant as it is. */
  readonly hasPlaceholders?: boolean
  /** The wish in the words of a client of the Docker API, to be shown to it again; absent: it came another way. Tasks are not made from it. */
  readonly said?: Readonly<Record<string, unknown>>
}
