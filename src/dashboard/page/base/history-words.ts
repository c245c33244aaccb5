import type { HistoryEvent } from '#api/glovebox'

import { duration } from './format.ts'

/** What happened to a service, in a sentence. */
export function historyWords(event: HistoryEvent): string {
  switch (event.type) {
    case 'created':
      return `created with ${event.image}, ${event.replicas} replicas`
    case 'changed': {
      const fields = event.fields.map(({ path }) => path.join('.')).slice(0, 4)
      const more = event.fields.length - fields.length + event.omittedFields
      const what = event.isForced ? 'made anew' : `changed: ${fields.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
      return `${what} (revision ${event.fromRevision} to ${event.revision}${event.strategy === null ? '' : `, ${event.strategy}`})`
    }
    case 'scaled':
      return `scaled from ${event.fromReplicas} to ${event.replicas}`
    case 'rollback':
      return `rolled back from revision ${event.fromRevision} to ${event.revision}`
    case 'paused':
    case 'resumed':
    case 'promoted':
    case 'aborted':
    case 'removed':
      return event.type
    case 'rollout-step':
      return `rollout of revision ${event.revision}: step ${event.stage + 1}${event.weightPercent === null ? '' : `, ${event.weightPercent}% of the traffic`}. ${event.reason}`
    case 'rollout-halted':
      return `rollout of revision ${event.revision} stands still: ${event.reason}`
    case 'rollout-turned':
      return `rollout of revision ${event.revision} turns back: ${event.reason}`
    case 'rollout-ended':
      return `rollout of revision ${event.revision} ${event.outcome} after ${duration(event.tookMs)}${event.reason === '' ? '' : `: ${event.reason}`}`
    case 'task-restarted':
      return `${event.place} started again${event.failures > 1 ? ` (${event.failures} failures in a row)` : ''}: ${event.reason}`
  }
}
