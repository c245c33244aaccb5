/**
 * Names and addresses of services inside their networks: one virtual address for each service and network, spread over its ready tasks by the kernel,
 * and the names that lead to it. No answer and no rule names a task that is not ready. The rules go on without the daemon.
 */
export type { NameFinding, NameHolder } from './explain.ts'
export { startDiscovery, type Discovery, type DiscoveryNeeds } from './loop.ts'
export { serviceIndex, type NameQuestion, type ServiceIndex } from './names.ts'
export type {
  DiscoveredService,
  DiscoveredTask,
  DiscoveryNetworks,
  DiscoverySource,
  ServiceAddress,
  VirtualAddress,
} from './port.ts'
