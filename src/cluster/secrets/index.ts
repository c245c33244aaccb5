/**
 * Secrets and configs of the cluster. A secret's value is stored encrypted only, handed to nobody but the agent of a node that runs a task with it, and
 * shown in no answer, error or log line.
 */
export * from './port.ts'
