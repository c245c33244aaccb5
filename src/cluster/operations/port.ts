import type { ChangePlan } from '#cluster/changes'
import type { HistoryWish } from '#cluster/history'
import type { Actor, HistoryRecord, RevisionRecord } from '#cluster/model'

import type { ServiceView } from './service-view.ts'
import type { Settlement } from './settlement.ts'
import type { TaskView } from './task-view.ts'
import type { ServiceVerb } from './verb.ts'

/**
 * What people do with services: look, see what would become of a wish, have it carried out, and follow it. A `ref` is a name (`shop_web`, `shop/web`), an id or
 * the beginning of one. Errors of all: `service.not_found`, `service.ambiguous`.
 */
export interface Operations {
  /** By name. */
  list(): Promise<readonly ServiceView[]>
  get(ref: string): Promise<ServiceDetails>
  /** Of the services named, or of all. The youngest of each place first. */
  tasks(refs: readonly string[], options: { readonly isEnded?: boolean }): Promise<readonly TaskView[]>
  /** The youngest first. A name of a service that is gone is fine. */
  history(wanted: HistoryWish): Promise<readonly HistoryRecord[]>
  /** What would be done. Errors: `operation.invalid`, and those of the services. */
  preview(ref: string, verb: ServiceVerb): Promise<ChangePlan>
  /** `planId`: carried out only if it is what was shown; `operation.outdated` when it is another by now. Errors: as `preview`. */
  perform(ref: string, verb: ServiceVerb, asked: { readonly actor: Actor; readonly planId?: string }): Promise<Performed>
  /** First the service as it is, then each change of it; ends after `settled`, or `removed`. */
  watch(ref: string, wanted: { readonly revision: number | null }, signal: AbortSignal): AsyncIterable<ServiceEvent>
}

export interface ServiceDetails {
  readonly service: ServiceView
  readonly tasks: readonly TaskView[]
  /** The youngest first. */
  readonly revisions: readonly RevisionRecord[]
}

export interface Performed {
  readonly plan: ChangePlan
  readonly service: ServiceView
  /** The revision that is wanted now: what a watch waits for. */
  readonly revision: number
  readonly isChanged: boolean
}

export type ServiceEvent =
  | { readonly kind: 'service'; readonly service: ServiceView }
  | ({ readonly kind: 'settled'; readonly service: ServiceView } & Settlement)
  | { readonly kind: 'removed' }
