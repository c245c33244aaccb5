/** Volumes: directories that outlive containers. Never removed while a container refers to them. */
export { directoryBytes } from './directory-bytes.ts'
export type * from './port.ts'
export { createVolumes, type VolumesNeeds } from './volumes.ts'
