import type { ArgInstruction, Dockerfile } from '#oci/dockerfile'

import type { StageSource } from '../stages.ts'
import type { Check, CheckFinding, CheckInput } from './finding.ts'
import { globalArgFindings } from './global-args.ts'
import { CHECK_RULES } from './rules.ts'
import type { CheckSettings } from './settings.ts'
import { STAGE_CHECKS } from './stages.ts'
import { STYLE_CHECKS } from './style.ts'

export interface CheckedFile {
  readonly dockerfile: Dockerfile
  readonly stages: readonly StageSource[]
  /** ARG before the first FROM. */
  readonly before: readonly ArgInstruction[]
  /** Global arguments that the builder defines, with their values. */
  readonly predefined: ReadonlyMap<string, string>
  /** Whether the ignore file leaves a path of the context out. */
  readonly isIgnored: (path: string) => boolean
}

const CHECKS: readonly Check[] = [...STYLE_CHECKS, ...STAGE_CHECKS, continuations]
const EXPERIMENTAL: ReadonlySet<string> = new Set(CHECK_RULES.filter((rule) => rule.isExperimental).map(({ name }) => name))

/**
 * What the text of a Dockerfile shows by itself; what depends on the base images (`UndefinedVar`, `InvalidBaseImagePlatform`) is found while
 * planning. Every stage is looked at, whether the target needs it or not.
 */
export function checkDockerfile(file: CheckedFile): readonly CheckFinding[] {
  const input: CheckInput = { dockerfile: file.dockerfile, stages: file.stages, isIgnored: file.isIgnored }
  return [...CHECKS.flatMap((check) => [...check(input)]), ...globalArgFindings(input, file.before, file.predefined)]
}

/** Those that the settings leave in, in the order of their lines. */
export function keptFindings<Finding extends CheckFinding>(
  findings: readonly Finding[],
  settings: CheckSettings,
): readonly Finding[] {
  return findings
    .filter(({ check }) => !settings.skipped.has(check) && (!EXPERIMENTAL.has(check) || settings.experimental.has(check)))
    .toSorted((a, b) => a.place.line - b.place.line)
}

function* continuations(input: CheckInput): Generator<CheckFinding> {
  yield* input.dockerfile.warnings
}
