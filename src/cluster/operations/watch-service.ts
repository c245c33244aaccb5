import { isKind, type Clock } from '#base'
import type { Services } from '#cluster/services'

import { findService } from './find-service.ts'
import type { ServiceEvent } from './port.ts'
import { serviceView } from './service-view.ts'
import { settlementOf } from './settlement.ts'

export interface Watched {
  readonly services: Services
  readonly clock: Clock
  readonly listen: (changed: () => void) => Disposable
}

/** A rollout of many tasks changes many times a second: nobody reads faster. */
const TELL_EVERY_MS = 100
/** What looks hopeless for less is often a port or a place that is about to be free. */
const HOPELESS_FOR_MS = 3000
const LOOK_EVERY_MS = 1000

/** First the service as it is, then each change; ends when nothing more comes of it by itself. */
export async function* watchService(
  { services, clock, listen }: Watched,
  ref: string,
  { revision }: { readonly revision: number | null },
  signal: AbortSignal,
): AsyncGenerator<ServiceEvent, void, void> {
  const { id } = (await findService(services, ref)).record
  let told = ''
  let failedSinceMs: number | null = null
  let changed = Promise.withResolvers<void>()
  const isOld = (sinceMs: number | null) => sinceMs !== null && clock.monotonicMs() - sinceMs >= HOPELESS_FOR_MS
  using _listening = listen(() => changed.resolve())
  for (;;) {
    changed = Promise.withResolvers<void>()
    const sight = await services.get(id).catch((error: unknown) => {
      if (isKind(error, 'not_found')) return undefined
      throw error
    })
    if (sight === undefined) return yield { kind: 'removed' }
    const service = serviceView(sight)
    const event: ServiceEvent = { kind: 'service', service }
    const text = JSON.stringify(event)
    if (text !== told) yield event
    told = text
    const settled = settlementOf(sight, revision)
    failedSinceMs = settled?.outcome === 'failed' ? (failedSinceMs ?? clock.monotonicMs()) : null
    const isSure = service.state !== 'failed' || service.rollout?.state === 'paused' || isOld(failedSinceMs)
    if (settled !== null && isSure) return yield { kind: 'settled', service, ...settled }
    await clock.sleep(TELL_EVERY_MS, signal)
    using _look = clock.after(LOOK_EVERY_MS, changed.resolve)
    await changed.promise
  }
}
