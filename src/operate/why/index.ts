/**
 * Why: from plain facts about everything that runs or should to what is not as wanted, each in one sentence with what it was seen by and what to do about it. Pure;
 * whoever has the facts asks. Facts without fault give no diagnosis.
 */
export { diagnose } from './diagnose.ts'
export type { Diagnosis, DiagnosisCode, Severity, Subject, SubjectKind } from './diagnosis.ts'
export type * from './facts.ts'
export { imageName } from './names.ts'
export { whyReport, type WhyReport } from './report.ts'
