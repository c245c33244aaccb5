/** The node's own truth: one SQLite file of records, durable at every return. */
export { openStore, type OpenStore } from './sqlite.ts'
