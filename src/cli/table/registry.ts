import type { TableEntry } from '../command.ts'
import { entry } from './entry.ts'

/** Commands about the registry that the daemon serves. */
export const registryEntries: readonly TableEntry[] = [
  entry(
    'Registry',
    'registry',
    'Show the registry that the daemon serves',
    async () => (await import('../commands/registry.ts')).registry,
  ),
  entry(
    'Registry',
    'registry ls',
    'List repositories, or what one of them holds',
    async () => (await import('../commands/registry-ls.ts')).registryLs,
  ),
  entry(
    'Registry',
    'registry rm',
    'Remove tags and manifests',
    async () => (await import('../commands/registry-rm.ts')).registryRm,
  ),
  entry(
    'Registry',
    'registry gc',
    'Remove what the rules no longer keep',
    async () => (await import('../commands/registry-gc.ts')).registryGc,
  ),
  entry(
    'Registry',
    'registry rules',
    'Say what is kept of which repositories',
    async () => (await import('../commands/registry-gc.ts')).registryRules,
  ),
  entry(
    'Registry',
    'registry users',
    'List who may do what',
    async () => (await import('../commands/registry-users.ts')).registryUsers,
  ),
  entry(
    'Registry',
    'registry grant',
    'Make a user, or change what one may do',
    async () => (await import('../commands/registry-users.ts')).registryGrant,
  ),
  entry(
    'Registry',
    'registry revoke',
    'Remove users',
    async () => (await import('../commands/registry-users.ts')).registryRevoke,
  ),
]
