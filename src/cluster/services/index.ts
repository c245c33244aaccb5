/** Services: what is wanted of them, written down; and the loop that makes tasks of it, ends them, and takes each rollout step by step to its end. */
export { serviceError } from './errors.ts'
export type * from './port.ts'
