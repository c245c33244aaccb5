export type * from '#cluster/agent'
