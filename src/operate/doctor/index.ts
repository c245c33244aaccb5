/** Doctor: looks at a host and says what of it helps, limits or endangers containers, and what to do about it. Changes nothing. */
export type { Finding, FindingLevel } from './finding.ts'
