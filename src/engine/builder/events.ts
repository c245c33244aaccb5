import type { Digest, GloveboxError } from '#base'
import type { Place } from '#oci/dockerfile'

import type { CheckName } from './checks/index.ts'

export interface PlannedStage {
  readonly name: string
  /** Numbers of its steps, FROM among them. */
  readonly firstStep: number
  readonly lastStep: number
}

/**
 * What a build reports. Every `step-started` is followed by one `step-done`, or by `failed`. Steps of one stage follow each other, stages
 * run side by side.
 */
export type BuildEvent =
  | {
      readonly kind: 'planned'
      readonly stepCount: number
      readonly fileCount: number
      /** Stages in the order of their numbers; what they report comes mixed. */
      readonly stages: readonly PlannedStage[]
    }
  | {
      readonly kind: 'step-started'
      readonly number: number
      readonly total: number
      readonly text: string
      readonly place: Place
    }
  | { readonly kind: 'step-running'; readonly number: number }
  | { readonly kind: 'output'; readonly number: number; readonly stream: 'stdout' | 'stderr'; readonly chunk: Buffer }
  | {
      readonly kind: 'step-done'
      readonly number: number
      readonly isCached: boolean
      /** The layer that the step made, if any. */
      readonly diffId: Digest | undefined
      /** Names the state after the step; changes when the state does. */
      readonly stateId: string
      readonly durationMs: number
    }
  | { readonly kind: 'warning'; readonly check: CheckName | undefined; readonly place: Place; readonly message: string }
  | { readonly kind: 'image'; readonly id: Digest }
  /** Something goes out of the machine or comes in: `digest` once it is there. */
  | { readonly kind: 'moving'; readonly what: 'push' | 'output' | 'cache-import' | 'cache-export'; readonly place: string }
  | {
      readonly kind: 'moved'
      readonly what: 'push' | 'output' | 'cache-import' | 'cache-export'
      readonly place: string
      readonly digest: Digest | undefined
    }
  | { readonly kind: 'tagged'; readonly id: Digest; readonly reference: string }
  | { readonly kind: 'failed'; readonly error: GloveboxError }

export type EmitBuildEvent = (event: BuildEvent) => void
