/** What the dashboard's page and its server say to each other: types alone, so that the page takes nothing of the server with it. */
export type * from './live.ts'
export type * from './session.ts'
