import type { FieldChange } from '#cluster/model'
import type { RolloutSpec } from '#cluster/spec'

import type { PartKind } from './wanted.ts'

/** One thing that is going to be another one. What is wanted before, with the fields of all operations, is what is wanted after. */
export interface Operation {
  readonly kind: PartKind
  /** In the cluster: `shop_web`. */
  readonly name: string
  /** `scale`: of a service nothing but the number of its tasks changes. */
  readonly action: 'create' | 'change' | 'scale' | 'remove'
  /** Of what is created or removed one, with the whole of it. */
  readonly fields: readonly FieldChange[]
  /** What it means for the tasks of a service; null: for none. */
  readonly effect: Effect | null
  /** What was kept is gone afterwards. */
  readonly deletesData: boolean
}

export interface Effect {
  readonly tasks: { readonly before: number; readonly replaced: number; readonly after: number }
  /** How tasks are made anew; null: none is. */
  readonly strategy: RolloutSpec['strategy'] | null
  readonly order: 'start-first' | 'stop-first' | null
  /** Why the old one goes first though nobody said so: `one task at a time writes to the volume data`. */
  readonly orderReason: string | null
  /** null: there are as many tasks as wanted all the time. */
  readonly outage: Outage | null
  /** What else one has to know: `it is paused`. Empty: nothing. */
  readonly note: string
}

/** What does not answer meanwhile. */
export interface Outage {
  /** Tasks that are missing at the same time. */
  readonly tasks: number
  readonly of: number
  /** From the grace to stop and the time that its tasks took to start last; null: for good. */
  readonly aboutMs: number | null
}
