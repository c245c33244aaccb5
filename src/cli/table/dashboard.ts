import type { TableEntry } from '../command.ts'
import { entry } from './entry.ts'

/** Commands about the dashboard and who may sign in to it. */
export const dashboardEntries: readonly TableEntry[] = [
  entry(
    'Understanding',
    'dashboard open',
    'Print a link that signs in to the dashboard once',
    async () => (await import('../commands/dashboard-open.ts')).dashboardOpen,
    ['dashboard'],
  ),
  entry(
    'Understanding',
    'dashboard user ls',
    'List who may sign in to the dashboard',
    async () => (await import('../commands/dashboard-users.ts')).dashboardUserLs,
    ['dashboard user', 'dashboard user list'],
  ),
  entry(
    'Understanding',
    'dashboard user add',
    'Let somebody sign in to the dashboard, or change a role',
    async () => (await import('../commands/dashboard-users.ts')).dashboardUserAdd,
  ),
  entry(
    'Understanding',
    'dashboard user passwd',
    'Give a user of the dashboard another password',
    async () => (await import('../commands/dashboard-users.ts')).dashboardUserPasswd,
  ),
  entry(
    'Understanding',
    'dashboard user rm',
    'Let somebody no longer sign in to the dashboard',
    async () => (await import('../commands/dashboard-users.ts')).dashboardUserRm,
  ),
]
