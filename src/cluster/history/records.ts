import type { Random } from '#base'
import { keyOf, type Actor, type HistoryEvent, type HistoryRecord } from '#cluster/model'

export interface Happening {
  readonly service: { readonly id: string; readonly name: string; readonly stack: string | null }
  readonly actor: Actor
  readonly atMs: number
  readonly random: Random
}

const TIME_DIGITS = 14
const SUFFIX_BYTES = 4

/** What to write in the transaction that makes the events true. Their keys go by time, and no two are the same. */
export function historyPuts(
  { service, actor, atMs, random }: Happening,
  events: readonly HistoryEvent[],
): readonly { readonly key: string; readonly value: HistoryRecord }[] {
  return events.map((event, index) => {
    const time = String(Math.max(0, Math.floor(atMs))).padStart(TIME_DIGITS, '0')
    const id = `${time}-${index}-${random.bytes(SUFFIX_BYTES).toString('hex')}`
    const { by, from } = actor
    return {
      key: keyOf('history', service.name, id),
      value: { id, service: service.name, stack: service.stack, serviceId: service.id, atMs, by, from, event },
    }
  })
}
