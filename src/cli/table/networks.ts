import type { TableEntry } from '../command.ts'
import { entry } from './entry.ts'

/** Commands about networks and volumes. */
export const networkEntries: readonly TableEntry[] = [
  entry('Networks', 'network ls', 'List networks', async () => (await import('../commands/network-ls.ts')).networkLs, [
    'network list',
  ]),
  entry(
    'Networks',
    'network create',
    'Create a network',
    async () => (await import('../commands/network-create.ts')).networkCreate,
  ),
  entry(
    'Networks',
    'network inspect',
    'Everything the daemon knows of networks',
    async () => (await import('../commands/network-rm.ts')).networkInspect,
  ),
  entry(
    'Networks',
    'network connect',
    'Give a container a place on another network',
    async () => (await import('../commands/network-connect.ts')).networkConnect,
  ),
  entry(
    'Networks',
    'network disconnect',
    'Take a container off a network',
    async () => (await import('../commands/network-connect.ts')).networkDisconnect,
  ),
  entry('Networks', 'network rm', 'Remove networks', async () => (await import('../commands/network-rm.ts')).networkRm, [
    'network remove',
  ]),
  entry(
    'Networks',
    'network prune',
    'Remove networks that no container uses',
    async () => (await import('../commands/prune.ts')).networkPrune,
  ),
  entry('Volumes', 'volume ls', 'List volumes', async () => (await import('../commands/volume-ls.ts')).volumeLs, ['volume list']),
  entry('Volumes', 'volume create', 'Create a volume', async () => (await import('../commands/volume-create.ts')).volumeCreate),
  entry(
    'Volumes',
    'volume inspect',
    'Everything the daemon knows of volumes',
    async () => (await import('../commands/volume-rm.ts')).volumeInspect,
  ),
  entry('Volumes', 'volume rm', 'Remove volumes', async () => (await import('../commands/volume-rm.ts')).volumeRm, [
    'volume remove',
  ]),
  entry(
    'Volumes',
    'volume prune',
    'Remove volumes that no container uses',
    async () => (await import('../commands/prune.ts')).volumePrune,
  ),
]
