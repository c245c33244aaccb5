/**
 * The node's part: containers for the tasks that are assigned to it, one state after the other, and what became of them. A container is found again by its
 * label or by what is written down of it, so that the agent may die at any line.
 */
export { startAgent, type Agent, type AgentPorts } from './loop.ts'
export { keepNodeAlive, type NodePresence, type NodePresencePorts } from './presence.ts'
export type * from './node-port.ts'
export { agentError } from './errors.ts'
export { TASK_LABELS } from './task-spec.ts'
export type { CheckPort, ProbeResult } from './checks.ts'
