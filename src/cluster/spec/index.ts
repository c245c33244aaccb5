/**
 * What the user wants, read from Compose files: YAML with places, variables, the official schema, then a typed model of plain JSON values.
 * A field without a meaning here is refused by name, and all problems of a file are reported at once.
 */
export { specError } from './errors.ts'
export { parseEnvFile, type EnvFile } from './env-file.ts'
export type * from './build-model.ts'
export type * from './host-model.ts'
export type * from './mode-model.ts'
export type * from './model.ts'
export type * from './people-model.ts'
export type * from './placement-model.ts'
export type * from './policy-model.ts'
export type * from './rollout-model.ts'
export type * from './route-model.ts'
export type * from './secret-model.ts'
export { describeProblem, type Problem } from './problems.ts'
export { PLAIN_RULE } from './plain-rule.ts'
export { PLAIN_SERVICE } from './plain-service.ts'
export { readCompose, type ComposeInput, type ComposeReading } from './read-compose.ts'
export { readStackSpec } from './read-stack-spec.ts'
export { isStackName, stackNameOfDirectory } from './stack-name.ts'
