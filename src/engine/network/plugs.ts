import type { Endpoint, ServiceNames, UnansweredListener } from './port.ts'

/** What others plug in once they are there. */
export interface Plugs {
  services: ServiceNames | null
  beforeUse: (endpoint: Endpoint) => Promise<void>
  unanswered: UnansweredListener
}
