/** Events: what happened, to whoever listens, in order and without a gap. */
export type * from './port.ts'
