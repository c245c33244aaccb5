/**
 * Rotation: services whose secrets or configs have a new value get a new revision, and with it new tasks by their own rollout. It follows from what is written down
 * alone, so that whoever dies in between leaves nothing undone and nothing done twice.
 */
export { startRotation, type RotationPorts } from './loop.ts'
export { planRotation, type RotatedService, type RotationStep } from './plan.ts'
