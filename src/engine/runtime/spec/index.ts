/**
 * Runtime specification: what a container is to be, with everything looked up, in; the `config.json` of its bundle out. Pure.
 * The defaults (capabilities, devices, mounts, masked paths, system calls) are those that images made for Docker expect.
 */
export { containerCapabilities } from './capabilities.ts'
export { specError } from './errors.ts'
export type {
  BlkioDeviceInput,
  DeviceInput,
  NamespaceInput,
  NamespacesInput,
  ProcessInput,
  ResourcesInput,
  RuntimeSpecInput,
  SecurityInput,
  SpecHostFacts,
} from './input.ts'
export { MASKED_PATHS, READONLY_PATHS } from './mounts.ts'
export { planRuntimeSpec } from './plan.ts'
export { checkProcMount } from './proc-mounts.ts'
export { processSpec } from './process.ts'
