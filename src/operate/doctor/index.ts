/** Doctor: looks at a host and says what of it helps, limits or endangers containers, and what to do about it. Changes nothing. */
export { examine, type ExamineOptions } from './examine.ts'
export type { CgroupFacts, ForwardFacts, HostFacts } from './facts.ts'
export type { Finding, FindingLevel } from './finding.ts'
export { findings } from './findings.ts'
export { hostProbe, type HostProbe } from './probe.ts'
