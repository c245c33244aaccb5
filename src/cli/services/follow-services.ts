import type { ServiceEvent, ServiceView } from '#api/glovebox'

import type { Progress } from '../output/progress.ts'
import { counted } from '../output/units.ts'

export interface FollowedService {
  readonly title: string
  readonly outcome: 'ready' | 'failed' | 'held' | 'removed' | 'interrupted'
  readonly reason: string
  readonly service: ServiceView | undefined
}

/** Shows how a service gets on until nothing more comes of it by itself, or the user has seen enough. */
export async function followService(
  title: string,
  events: AsyncIterable<ServiceEvent>,
  show: Progress,
): Promise<FollowedService> {
  let service: ServiceView | undefined
  let stage = ''
  for await (const event of events) {
    if (event.kind === 'removed') {
      show.update(title, 'removed')
      show.say(`${title} is gone.`)
      return { title, outcome: 'removed', reason: '', service }
    }
    service = event.service
    show.update(title, progressText(service), service.why ?? '')
    const next = stageText(title, service)
    if (next !== stage && next !== '') show.say(next)
    stage = next
    if (event.kind !== 'settled') continue
    const { outcome, reason } = event
    if (outcome === 'ready') show.say(`${title} is ready: ${progressText(service)}.`)
    return { title, outcome, reason, service }
  }
  return { title, outcome: 'interrupted', reason: '', service }
}

/** `rolling back 2/3, revision 4`. */
export function progressText({ state, rollout, readyTasks, desiredTasks, revision, mode }: ServiceView): string {
  const isMoving = rollout !== null && rollout.endedAtMs === null
  const doing = !isMoving
    ? state
    : rollout.state === 'rolling-back'
      ? 'going back'
      : rollout.state === 'paused'
        ? 'halted'
        : 'rolling out'
  const share = isMoving && rollout.weightPercent !== null ? `, ${rollout.weightPercent} % of the traffic` : ''
  if (mode.endsWith('job')) return `${doing}, revision ${revision}`
  return `${doing} ${readyTasks}/${desiredTasks}, revision ${revision}${share}`
}

/** A sentence for each step that counts, where lines cannot be taken back. */
function stageText(title: string, { rollout, state, desiredTasks, revision }: ServiceView): string {
  if (state === 'removing') return `${title} is being removed.`
  if (rollout === null || rollout.endedAtMs !== null)
    return state === 'converging' ? `${title} is on its way to ${counted(desiredTasks, 'task')} of revision ${revision}.` : ''
  if (rollout.state === 'rolling-back') return `${title} goes back to revision ${rollout.to}: ${rollout.reason}.`
  if (rollout.state === 'paused') return `${title} stands still: ${rollout.reason}.`
  if (rollout.weightPercent !== null) return `${title}: ${rollout.reason}.`
  return `${title} rolls out revision ${rollout.to}.`
}
