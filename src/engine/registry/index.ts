/**
 * Registries: images over the OCI distribution protocol, in and out. Credentials go to the registry of the image and nowhere else, nothing is
 * visible before its digest was checked, and what breaks on the way goes on where it was.
 */
export { readInsecure, readMirror, type RegistryOptions } from './endpoints.ts'
export { registryError } from './errors.ts'
export type { OwnRegistry } from './own.ts'
export type { ArtifactRepository, ArtifactRequest, RawCredentials, Registries, RegistryProgress, RemoteImage } from './port.ts'
export { createRegistries, type RegistriesNeeds } from './registries.ts'
