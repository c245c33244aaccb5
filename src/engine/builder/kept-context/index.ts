/** Build contexts that stay between builds, so that a client sends only what changed. */
export { createKeptContexts, type KeptContextsNeeds } from './kept-contexts.ts'
export type * from './port.ts'
