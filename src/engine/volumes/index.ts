/** Volumes: directories that outlive containers. Never removed while a container refers to them. */
export type * from './port.ts'
