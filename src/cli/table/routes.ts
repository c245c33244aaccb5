import type { TableEntry } from '../command.ts'
import { entry } from './entry.ts'

/** Commands about where traffic comes in and who answers it. */
export const routeEntries: readonly TableEntry[] = [
  entry(
    'Networks',
    'route ls',
    'List routes and who answers them',
    async () => (await import('../commands/route-ls.ts')).routeLs,
    ['route', 'route list'],
  ),
  entry(
    'Networks',
    'route inspect',
    'Show a route, its backends and what it did',
    async () => (await import('../commands/route-inspect.ts')).routeInspect,
  ),
  entry(
    'Networks',
    'route shift',
    "Move a part of a route's requests to another group",
    async () => (await import('../commands/route-shift.ts')).routeShift,
  ),
  entry(
    'Networks',
    'route drain',
    'Send a group of backends no more requests, and wait until it has none',
    async () => (await import('../commands/route-drain.ts')).routeDrain,
  ),
]
