/**
 * Environments: copies of an application beside it, with names, networks, volumes, ports and hosts of their own, each removed with all that it has when its time is
 * over. What a copy is made of is a pure function of the source and of what is wished (`deriveEnvironment`); it runs as any stack.
 */
export { checkClashes } from './clashes.ts'
export { deriveEnvironment, type Derived } from './derive.ts'
export type { Difference } from './diff.ts'
export { openEnvironments, type EnvironmentsPorts } from './environments.ts'
export { environmentError } from './errors.ts'
export type { EnvironmentAction } from './loop.ts'
export { PLAIN_PATTERN } from './names.ts'
export type * from './port.ts'
export type { EnvironmentWish } from './wish.ts'
