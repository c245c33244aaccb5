/**
 * Containers of one machine: their records, their life from create to remove, execs, attachments, logs and limits.
 * A record is written before anything happens to the kernel and after, so that a restart finds either the old or the new state.
 */
export type * from './port.ts'
export type * from './record.ts'
export type * from './spec.ts'
