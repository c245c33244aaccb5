/**
 * What people do with services and nodes: look at them, see what a wish would change, have it carried out in their name, and follow what becomes of it.
 */
export { operationError } from './errors.ts'
export type { NodeView } from './node-view.ts'
export { openNodes, type MoveView, type Nodes, type NodesPorts, type NodeWish } from './open-nodes.ts'
export { openOperations, type OperationsPorts } from './open-operations.ts'
export type * from './port.ts'
export { titleOf, type ServiceView } from './service-view.ts'
export type { Settlement } from './settlement.ts'
export type { TaskView } from './task-view.ts'
export type { DeployWish, ServiceVerb } from './verb.ts'
