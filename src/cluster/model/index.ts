/**
 * The records of the cluster, plain JSON values: what is wanted (services and their revisions, secrets, configs), what there is to run it (nodes),
 * and the tasks between the two. Every record stands in the store under `kind/id`; `keys.ts` has the names of the kinds.
 */
export { canonical } from './canonical.ts'
export type * from './environment-record.ts'
export { describedRevision, type DescribedRevision } from './described-revision.ts'
export { fieldChanges, withFieldChanges, type FieldChange } from './field-changes.ts'
export * from './history-record.ts'
export * from './keys.ts'
export type * from './node-record.ts'
export type * from './rollout-record.ts'
export type * from './run-record.ts'
export type * from './secret-record.ts'
export type * from './service-record.ts'
export type * from './stack-record.ts'
export * from './task-record.ts'
