/**
 * The dashboard's server: who may sign in, the page's files, one live picture of the house for all who look, terminals, and doors to those operations of the
 * two APIs that a browser may ask for. It does nothing before somebody comes, and listens only where it is told to.
 */
export type { Accounts } from './accounts.ts'
export { createDashboard, type Dashboard } from './dashboard.ts'
export { dashboardError } from './errors.ts'
export type { DashboardListen } from './listen.ts'
export type { Changed, LiveSource, Watching } from './live/source.ts'
export { PASSWORD_COST } from './passwords.ts'
export type { DashboardNeeds, OpenTerminal, TerminalPort, TerminalSize } from './ports.ts'
export { isRole, ROLES } from './roles.ts'
