/** Stacks: the applications that are wanted here, written down together with a service for each of theirs, and what became of them so far. */
export { describeChanges, type KnownWish } from './changes.ts'
export { stackError } from './errors.ts'
export { hasEarlierStacks, migrateStacks, type MigrationPorts } from './migrate.ts'
export { planApply, type ApplyInput, type ApplyPlan, type KnownService } from './plan-apply.ts'
export type * from './port.ts'
export { openStacks, type StacksPorts } from './stacks.ts'
export { serviceName, wishOf } from './wishes.ts'
