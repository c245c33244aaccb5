/**
 * Brings what is there to what is wanted. A pure plan from a snapshot to typed steps, and a thin loop that carries them out, remembers
 * failures, and plans again after every step. Owns restarts: the tasks that it makes are not to be restarted by anybody else.
 */
export { startReconciler, type Reconciler, type ReconcilerPorts, type Round } from './loop.ts'
export type { NodeNetwork, NodePort, NodeTask, NodeVolume, TaskMount, TaskSpec } from './node-port.ts'
export { planReconcile } from './plan.ts'
export type { RouteBackend, RouteFailure, RouteGroup, RoutePort, RouteSpec } from './route-port.ts'
export { simulatedNode, type SimulatedImage, type SimulatedNode } from './simulated-node.ts'
export { describeEnd } from './crashes.ts'
export { portKey, type StackRecord } from './stack-record.ts'
export { isReady, viewStack, type ServiceView, type StackView, type TaskView } from './stack-view.ts'
export type { Crash, Memory, Plan, Snapshot, Step, StepFailure, Wait } from './steps.ts'
export { canonical, LABELS } from './task-spec.ts'
