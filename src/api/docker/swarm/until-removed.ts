import type { Clock } from '#base'
import type { ServiceRecord } from '#cluster/model'
import type { Services } from '#cluster/services'

/** As long as the tasks of most services take to end. */
const REMOVAL_MS = 30_000
const LOOK_EVERY_MS = 50

/** Waits for the services that are being removed, but not for ever: clients take them for gone and go on with what they used. */
export async function untilRemoved(services: Services, clock: Clock, isOne: (record: ServiceRecord) => boolean): Promise<void> {
  const endMs = clock.monotonicMs() + REMOVAL_MS
  const isLeft = async () => (await services.list()).some(({ record }) => record.state === 'removing' && isOne(record))
  while ((await isLeft()) && clock.monotonicMs() < endMs) await clock.sleep(LOOK_EVERY_MS)
}
