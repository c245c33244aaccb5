/**
 * Build checks: what is likely wrong in a Dockerfile that builds. Named as in the reference of build checks of the Dockerfile frontend, so that
 * `# check=skip=NAME` of existing files holds. Pure.
 */
export { checkDockerfile, keptFindings } from './check.ts'
export type { CheckFinding } from './finding.ts'
export { CHECK_RULES, type CheckName, type CheckRule } from './rules.ts'
export { checkSettings } from './settings.ts'
