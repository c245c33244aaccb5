import type { Digest } from '#base'

import type { BuildContext } from './context.ts'
import type { EmitBuildEvent } from './events.ts'
import type { BuildPorts, RunLimits } from './ports.ts'

/** What every step of one build works with. */
export interface StepContext {
  readonly ports: BuildPorts
  readonly context: BuildContext
  readonly epochS: number | undefined
  readonly isCacheUsed: boolean
  readonly limits: RunLimits
  readonly signal: AbortSignal | undefined
  readonly emit: EmitBuildEvent
  /** Told each key that the build stands on, so that nobody clears it away meanwhile. */
  readonly hold: (key: string) => void
}

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
