/**
 * Containers of one machine: their records, their life from create to remove, execs, attachments, logs and limits.
 * A record is written before anything happens to the kernel and after, so that a restart finds either the old or the new state.
 */
export type { ContainersNeeds } from './context.ts'
export { healthWithDefaults, mergeEnv, specFromImage } from './default-spec.ts'
export { DEFAULT_LOG, withDefaultLog } from './default-log.ts'
export { createContainers, type ContainersService } from './containers.ts'
export { parseDetachKeys } from './detach-keys.ts'
export { cgroupPathOf, homeOf, instanceCgroup, logPathOf, runDirOf, runtimeStateRoot } from './paths.ts'
export type { HeldFiles } from './hold-files.ts'
export type * from './port.ts'
export type * from './record.ts'
export type * from './spec.ts'
export type { TransientOutcome, TransientRun } from './transient.ts'
export type { UserRemap } from './user-remap.ts'
export { resolveUser } from './users.ts'
