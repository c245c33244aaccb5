import type { Clock } from '#base'

import type { Endpoint, ServiceNames, UnansweredListener } from './port.ts'

/** What others plug in once they are there. */
export interface Plugs {
  services: ServiceNames | null
  /** Names are answered from here on. */
  readonly namesOpen: Promise<void>
  readonly openNames: () => void
  beforeUse: (endpoint: Endpoint) => Promise<void>
  unanswered: UnansweredListener
}

/** Shorter than resolvers wait for an answer: by then containers' names have to do. */
const MAX_WAIT_MS = 2000

/** `awaitsServices`: somebody will say what services there are. */
export function createPlugs(clock: Clock, awaitsServices: boolean): Plugs {
  const opening = Promise.withResolvers<void>()
  const patience = awaitsServices ? clock.after(MAX_WAIT_MS, opening.resolve) : undefined
  const open = () => {
    patience?.[Symbol.dispose]()
    opening.resolve()
  }
  if (!awaitsServices) open()
  return {
    services: null,
    namesOpen: opening.promise,
    openNames: open,
    beforeUse: () => Promise.resolve(),
    unanswered: () => undefined,
  }
}
