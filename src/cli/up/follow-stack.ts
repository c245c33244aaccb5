import type { StackEvent, StackService, StackStatus } from '#api/glovebox'
import type { Clock } from '#base'

import type { Progress } from '../output/progress.ts'
import { counted } from '../output/units.ts'

export interface Followed {
  /** `held`: what is not there waits for somebody to say something. */
  readonly outcome: 'ready' | 'failed' | 'interrupted' | 'held'
  readonly reasons: readonly string[]
  readonly status: StackStatus | undefined
  /** It was ready from the first look on. */
  readonly wasThere: boolean
}

/** A reason that lasts this long is worth telling where lines cannot be taken back. */
const LASTING_MS = 1500

/** Shows how a stack gets on until it is there, has failed, or the user has seen enough. */
export async function followStack(events: AsyncIterable<StackEvent>, show: Progress, clock: Clock): Promise<Followed> {
  let status: StackStatus | undefined
  let isFirst = true
  let wasThere = false
  using narrator = narrate(show, clock)
  for await (const event of events) {
    if (event.kind === 'removed') return { outcome: 'failed', reasons: ['the stack was removed'], status, wasThere }
    status = event.status
    wasThere ||= isFirst && status.state === 'ready'
    isFirst = false
    for (const service of status.services) {
      show.update(service.name, serviceState(service), service.whyNotYet ?? '')
      narrator.look(service)
    }
    const waiting = status.services.filter(({ state }) => state !== 'ready' && state !== 'done')
    if (waiting.length > 0 && waiting.every(({ isHeld }) => isHeld === true))
      return { outcome: 'held', reasons: waiting.map(({ name, whyNotYet }) => `${name}: ${whyNotYet ?? ''}`), status, wasThere }
    if (event.kind === 'settled') return { outcome: event.outcome, reasons: event.reasons, status, wasThere }
  }
  return { outcome: 'interrupted', reasons: [], status, wasThere }
}

interface Narrator extends Disposable {
  look(service: StackService): void
}

/** Tells when a service has got there, and what holds one up for long. */
function narrate(show: Progress, clock: Clock): Narrator {
  const told = new Map<string, { readonly text: string; readonly timer: Disposable | undefined }>()
  return {
    look: (service) => {
      const isThere = service.state === 'ready' || service.state === 'done'
      const text = isThere ? arrival(service) : obstacle(service)
      const before = told.get(service.name)
      if (before?.text === text) return
      before?.timer?.[Symbol.dispose]()
      // What was there from the start is no news.
      if (isThere && before !== undefined) show.say(text)
      told.set(service.name, { text, timer: isThere ? undefined : clock.after(LASTING_MS, () => show.say(text)) })
    },
    [Symbol.dispose]: () => {
      for (const { timer } of told.values()) timer?.[Symbol.dispose]()
    },
  }
}

function arrival(service: StackService): string {
  if (service.state === 'done') return `${service.name} has done its work.`
  return service.desiredReplicas === 1
    ? `${service.name} is ready.`
    : `${service.name} is ready, ${counted(service.desiredReplicas, 'replica')}.`
}

function obstacle({ name, whyNotYet }: StackService): string {
  if (whyNotYet === null) return `${name} is not ready yet.`
  return whyNotYet.startsWith('waits ') ? `${name} ${whyNotYet}.` : `${name}: ${whyNotYet}.`
}

/** `ready 2/2`. */
export function serviceState(service: StackService): string {
  if (service.mode === 'job') return service.state
  return `${service.state} ${service.readyReplicas}/${service.desiredReplicas}`
}
