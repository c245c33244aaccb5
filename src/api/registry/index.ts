/**
 * The registry's API: the OCI distribution specification 1.1 with the types of Docker's schema 2, Docker's catalog, and its token
 * authentication. Knows repositories and accounts by their faces; listens nowhere by itself.
 */
export { registryApiError } from './errors.ts'
export { serveRegistry, type RegistryListen } from './listen.ts'
export type { RegistryApiNeeds } from './port.ts'
export { registryApi } from './serve.ts'
