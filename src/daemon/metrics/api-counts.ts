import type { ObserveRequest } from '#api/http'
import type { MetricRegistry } from '#observe/metrics'
import type { Events } from '#engine/events'

/** A ping takes a tenth of a millisecond, a pull minutes. */
const BOUNDS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 300]

/** Requests of both APIs by operation, whose names are a closed list, and status. */
export function countRequests(registry: MetricRegistry): ObserveRequest {
  const requests = registry.counter({
    name: 'glovebox_api_requests_total',
    help: 'Requests by operation and status.',
    labels: ['operation', 'status'],
    isKept: true,
  })
  const time = registry.histogram(
    {
      name: 'glovebox_api_request_duration_seconds',
      help: 'How long requests took until their answer was out. Those that last as long as their client stays are not in it.',
      labels: ['operation'],
    },
    BOUNDS_S,
  )
  return (operation, status, ms) => {
    requests.add([operation, String(status)])
    if (ms !== null) time.observe([operation], ms / 1000)
  }
}

/** What the engine tells of: starts, ends, pulls. */
export function countEvents(events: Pick<Events, 'listen'>, registry: MetricRegistry): Disposable {
  const counted = registry.counter({
    name: 'glovebox_engine_events_total',
    help: 'Events of the engine by what they are of.',
    labels: ['type', 'action'],
    isKept: true,
  })
  // Behind the colon are command lines and states.
  return events.listen(({ type, action }) => counted.add([type, action.split(':', 1)[0] ?? action]))
}
