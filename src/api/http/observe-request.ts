import type { ServerResponse } from 'node:http'

import type { Clock } from '#base'

/** Told of each request when its answer is out. `operation`: of a closed list. `ms` null: it lasted as long as its client stayed, or its connection became something else. */
export type ObserveRequest = (operation: string, status: number, ms: number | null) => void

/** Tells of this request at its end. */
export function observeAnswer(
  response: ServerResponse,
  of: {
    readonly operation: string
    readonly startedMs: number
    readonly clock: Clock
    readonly isTimed: boolean
    readonly observe: ObserveRequest
  },
): void {
  response.once('close', () =>
    of.observe(of.operation, response.statusCode, of.isTimed ? of.clock.monotonicMs() - of.startedMs : null),
  )
}
