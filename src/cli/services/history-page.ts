import type { HistoryEvent, HistoryRecord } from '#api/glovebox'

import { printable, type Paint } from '../output/colour.ts'
import { renderFields } from '../output/table.ts'
import { counted, localTime, tookText } from '../output/units.ts'
import { fieldLines, fieldSummary } from './field-text.ts'

export function whenText({ atMs }: HistoryRecord): string {
  return localTime(atMs)
}

/** `ann (cli)`. */
export function whoText({ by, from }: HistoryRecord): string {
  return by === from ? printable(by) : `${printable(by)} (${from})`
}

/** `shop/web`. */
export function titleText({ service, stack }: HistoryRecord): string {
  return stack !== null && service.startsWith(`${stack}_`) ? `${stack}/${service.slice(stack.length + 1)}` : service
}

/** One line. */
export function eventText(event: HistoryEvent): string {
  switch (event.type) {
    case 'created':
      return `created: ${printable(event.image)}, ${counted(event.replicas, 'task')}`
    case 'changed':
      return `revision ${event.fromRevision} → ${event.revision}${changedText(event)}`
    case 'scaled':
      return `scaled ${event.fromReplicas} → ${event.replicas}`
    case 'rollback':
      return `back from revision ${event.fromRevision} to ${event.revision}`
    case 'paused':
    case 'resumed':
    case 'promoted':
    case 'aborted':
    case 'removed':
      return event.type
    case 'rollout-step':
      return `revision ${event.revision}: ${printable(event.reason)}${event.judgement === null ? '' : ` (${event.judgement.verdict})`}`
    case 'rollout-halted':
      return `rollout of revision ${event.revision} halted: ${printable(event.reason)}`
    case 'rollout-turned':
      return `rollout of revision ${event.revision} failed and goes back: ${printable(event.reason)}`
    case 'rollout-ended': {
      const { revision, outcome, tookMs, reason } = event
      const why = outcome === 'completed' ? '' : `: ${printable(reason)}`
      const what = outcome === 'rolled-back' ? `back at revision ${revision}` : `rollout of revision ${revision} ${outcome}`
      return `${what} after ${tookText(tookMs)}${why}`
    }
    case 'task-restarted':
      return `task in ${event.place} started again${event.failures > 1 ? ` (${event.failures} times in a row)` : ''}: ${printable(event.reason)}`
  }
}

function changedText({ fields, omittedFields, strategy, isForced }: Extract<HistoryEvent, { type: 'changed' }>): string {
  const all = fieldSummary(fields.filter(({ path }) => path[0] !== 'forced'))
  const what = [all, isForced ? 'forced' : '', omittedFields > 0 ? `${omittedFields} more` : ''].filter((part) => part !== '')
  return `${what.length === 0 ? '' : `: ${what.join(', ')}`}${strategy === null ? '' : ` (${strategy})`}`
}

/** The fields of a change below its line; empty for all else. */
export function eventDetails(event: HistoryEvent, paint: Paint): string {
  return event.type === 'changed' ? renderFields(fieldLines(event.fields, paint), '    ') : ''
}
