/**
 * Secrets and configs of the cluster. A secret's value is stored encrypted only, handed to nobody but the agent of a node that runs a task with it, and
 * shown in no answer, error or log line.
 */
export { secretError } from './errors.ts'
export type { KeyPlace } from './key-ring.ts'
export * from './port.ts'
export { openSecrets, type SecretsPorts } from './secrets.ts'
export { filesOfTask, mountsOfFiles, type TaskFiles, versionsOfFiles } from './task-files.ts'
export { foreseeStackSecrets, putStackSecrets, removeStackSecrets, STACK_LABEL, type StackSecretValues } from './stack-secrets.ts'
