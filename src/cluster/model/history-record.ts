import type { RolloutSpec } from '#cluster/spec'

import type { FieldChange } from './field-changes.ts'
import type { Judgement, RolloutRecord } from './rollout-record.ts'

/**
 * Something that happened to a service, under `history/SERVICE_NAME/ID`, in one transaction with what it tells of. By the name: who takes an application down and
 * brings it up again has one history. The oldest go, by number and by age.
 */
export interface HistoryRecord extends Actor {
  /** In order of time. */
  readonly id: string
  /** The service's name in the whole cluster. */
  readonly service: string
  /** Of its stack; null: it stands alone. */
  readonly stack: string | null
  readonly serviceId: string
  readonly atMs: number
  readonly event: HistoryEvent
}

/** Who asked for it, and how. */
export interface Actor {
  /** A user's name, or `glovebox` for what happens by itself. */
  readonly by: string
  /** `compose`: a whole Compose file was applied. `swarm`: Docker's API. `api`: our own, by another program than ours. */
  readonly from: 'cli' | 'compose' | 'swarm' | 'api' | 'dashboard' | 'glovebox'
}

/** What happens by itself. */
export const ITSELF: Actor = { by: 'glovebox', from: 'glovebox' }

export type HistoryEvent =
  | { readonly type: 'created'; readonly revision: number; readonly image: string; readonly replicas: number }
  /** A new revision; `fromRevision` is the one that was wanted before. */
  | {
      readonly type: 'changed'
      readonly fromRevision: number
      readonly revision: number
      readonly fields: readonly FieldChange[]
      /** Fields that changed besides. */
      readonly omittedFields: number
      /** How tasks are made anew; null: they need not be. */
      readonly strategy: RolloutSpec['strategy'] | null
      readonly isForced: boolean
    }
  | { readonly type: 'scaled'; readonly fromReplicas: number; readonly replicas: number }
  /** Somebody asked for the revision before. */
  | { readonly type: 'rollback'; readonly fromRevision: number; readonly revision: number }
  | { readonly type: 'paused' | 'resumed' | 'promoted' | 'aborted' | 'removed' }
  /** A rollout came one step further: `stage` from 0, the part of the traffic, and why. */
  | {
      readonly type: 'rollout-step'
      readonly revision: number
      readonly stage: number
      readonly weightPercent: number | null
      readonly reason: string
      readonly judgement: Judgement | null
    }
  /** Failures made it stand still, or turn back. */
  | { readonly type: 'rollout-halted' | 'rollout-turned'; readonly revision: number; readonly reason: string }
  | {
      readonly type: 'rollout-ended'
      readonly fromRevision: number | null
      readonly revision: number
      /** `superseded`: a newer wish took its place. */
      readonly outcome: RolloutRecord['state'] | 'superseded'
      readonly tookMs: number
      readonly reason: string
    }
  /** A task ended by itself and another one takes its place. */
  | {
      readonly type: 'task-restarted'
      /** `slot 2`, or the node of a global service. */
      readonly place: string
      /** In a row. */
      readonly failures: number
      readonly reason: string
    }
