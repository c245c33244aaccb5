import type { StackEvent, StackService, StackStatus } from '#api/glovebox'

import type { Progress } from '../output/progress.ts'

export interface Followed {
  readonly outcome: 'ready' | 'failed' | 'interrupted'
  readonly reasons: readonly string[]
  readonly status: StackStatus | undefined
}

/** Shows how a stack gets on until it is there, has failed, or the user has seen enough. */
export async function followStack(events: AsyncIterable<StackEvent>, show: Progress): Promise<Followed> {
  let status: StackStatus | undefined
  for await (const event of events) {
    switch (event.kind) {
      case 'status':
        status = event.status
        for (const service of status.services) show.update(service.name, serviceState(service), service.whyNotYet ?? '')
        break
      case 'note':
        show.tell(event.service, event.message)
        break
      case 'settled':
        for (const service of event.status.services) show.update(service.name, serviceState(service), service.whyNotYet ?? '')
        return { outcome: event.outcome, reasons: event.reasons, status: event.status }
      case 'removed':
        return { outcome: 'failed', reasons: ['the stack was removed'], status }
    }
  }
  return { outcome: 'interrupted', reasons: [], status }
}

/** `ready 2/2`. */
export function serviceState(service: StackService): string {
  if (service.mode === 'job') return service.state
  return `${service.state} ${service.readyReplicas}/${service.desiredReplicas}`
}
