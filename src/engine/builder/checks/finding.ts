import type { Dockerfile, Place } from '#oci/dockerfile'

import type { StageSource } from '../stages.ts'
import type { CheckName } from './rules.ts'

export interface CheckFinding {
  readonly check: CheckName
  readonly place: Place
  readonly message: string
}

/** What the checks look at: the file, cut into stages, and what surrounds it. */
export interface CheckInput {
  readonly dockerfile: Dockerfile
  readonly stages: readonly StageSource[]
  /** Whether the ignore file leaves a path of the context out. */
  readonly isIgnored: (path: string) => boolean
}

export type Check = (input: CheckInput) => Iterable<CheckFinding>

export function placeAt(input: CheckInput, line: number): Place {
  return { file: input.dockerfile.file, line }
}
