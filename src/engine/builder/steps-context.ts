import type { Digest } from '#base'

import type { BuildContext } from './context.ts'
import type { EmitBuildEvent } from './events.ts'
import type { BuildPorts, RunLimits } from './ports.ts'
import type { StagePlan } from './steps.ts'

/** What every step of one build works with. */
export interface StepContext {
  readonly ports: BuildPorts
  readonly context: BuildContext
  readonly epochS: number | undefined
  readonly isCacheUsed: boolean
  /** Names in lower case, or numbers, of stages whose steps are done anew in any case. */
  readonly uncachedStages: ReadonlySet<string>
  readonly limits: RunLimits
  readonly secrets: ReadonlyMap<string, Buffer>
  readonly sshAgents: ReadonlyMap<string, string>
  readonly signal: AbortSignal | undefined
  readonly emit: EmitBuildEvent
  /** Told each key that the build stands on, so that nobody clears it away meanwhile. */
  readonly hold: (key: string) => void
  /** The build, for turns. */
  readonly owner: object
  /** The build ends after this has, and its steps do not wait for it. */
  readonly finishLater: (work: PromiseLike<void>) => void
}

/** The layers of a stage, once it is finished. */
export type LayersOf = (stage: StagePlan) => Promise<readonly Digest[]>

export interface MadeLayer {
  readonly diffId: Digest
  readonly sizeBytes: number
}

/** What a step is: its key, and how to do it when nobody has. */
export interface LayerWork {
  readonly key: string
  /** The layer it made, or nothing when it changed nothing. */
  make(): Promise<MadeLayer | undefined>
}
