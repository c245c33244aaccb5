/**
 * Networks of one machine: bridges, addresses, sandboxes, published ports and the name service inside containers.
 * Several instances share a host without touching each other's links, tables and ports.
 */
export { readAddressPool, type DefaultPool } from './address-pool.ts'
export type { NetworksNeeds } from './context.ts'
export { networkError } from './errors.ts'
export { createNetworks } from './networks.ts'
export type * from './port.ts'
