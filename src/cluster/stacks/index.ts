/** Stacks: the applications that are wanted here, written down before anything is made, and what became of them so far. */
export { stackError } from './errors.ts'
export type * from './port.ts'
export { openStacks, type StacksPorts } from './stacks.ts'
