/**
 * What a wish changes, before anything is done: from what is wanted now and what would be wanted to operations, each with its fields and with what it means for what runs.
 * All pure. The daemon shows this plan and carries out the wish that it was made from.
 */
export { changePlan, type ChangePlan } from './change-plan.ts'
export type { Effect, Operation, Outage } from './operation.ts'
export { afterOperations, planChanges } from './plan-changes.ts'
export { NOTHING_SEEN, startTimeOf, type ServiceSeen, type Sight } from './sight.ts'
export { NOTHING_WANTED, wantedParts, wantedService, type PartKind, type Wanted, type WantedService } from './wanted.ts'
