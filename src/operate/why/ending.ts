import type { ContainerFacts, TaskFacts } from './facts.ts'
import type { DiagnosisCode } from './diagnosis.ts'

/** The end of a container, or of a task that never had one. */
export interface Ending {
  readonly exitCode: number | null
  readonly isOomKilled: boolean
  /** Why it could not start, or was stopped by whoever keeps it; empty: neither. */
  readonly error: string
  readonly isStoppedByHand: boolean
  readonly ranMs: number | null
  readonly endedAtMs: number | null
  readonly container: ContainerFacts | undefined
  /** Empty: nobody knows. */
  readonly image: string
  readonly command: string
}

/** What an end comes from. */
export interface Explanation {
  readonly code: DiagnosisCode
  /** Behind a name it makes a sentence: `ended with exit code 3`. */
  readonly what: string
  readonly evidence: readonly string[]
  readonly advice: string
}

export function endOfContainer(container: ContainerFacts): Ending {
  const { exitCode, isOomKilled, error, isStoppedByHand, startedAtMs, finishedAtMs } = container
  const ranMs = startedAtMs === null || finishedAtMs === null ? null : finishedAtMs - startedAtMs
  return {
    exitCode,
    isOomKilled,
    error,
    isStoppedByHand,
    ranMs,
    endedAtMs: finishedAtMs,
    container,
    image: container.image,
    command: container.command,
  }
}

/** `image`: of its service. */
export function endOfTask(task: TaskFacts, container: ContainerFacts | undefined, image: string): Ending {
  const { exitCode, isOomKilled, error, startedAtMs, sinceMs, isEnded } = task
  const ranMs = startedAtMs === null ? null : sinceMs - startedAtMs
  return {
    exitCode,
    isOomKilled,
    error,
    isStoppedByHand: false,
    ranMs,
    endedAtMs: isEnded ? sinceMs : null,
    container,
    image,
    command: container?.command ?? '',
  }
}
