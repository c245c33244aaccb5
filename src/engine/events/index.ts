/** Events: what happened, to whoever listens, in order and without a gap. */
export { createEvents } from './events.ts'
export type * from './port.ts'
