import type { Digest } from '#base'
import { formatPlatform, historyFits, type ImageConfig, type ImageHistory } from '#oci/image'

import { imageContentKey } from './keys.ts'
import type { StagePlan } from './steps.ts'

/** What the steps of a stage came to, its base included. */
export interface StageResult {
  readonly layers: readonly Digest[]
  readonly history: readonly HistoryEntry[]
}

/** Metadata has no time of its own: it takes that of the image. */
export type HistoryEntry = Omit<ImageHistory, 'created'> & { readonly created: string | undefined }

/** What a stage begins with. An image without history gets one entry for each layer, so that the two go on together. */
export function baseResult(image: ImageConfig | undefined): StageResult {
  if (image === undefined) return { layers: [], history: [] }
  const { diffIds, created } = image
  const isUsable = image.history.length > 0 && historyFits(image)
  const history = isUsable
    ? image.history
    : diffIds.map(() => ({ created, createdBy: '', author: '', comment: '', isEmptyLayer: false }))
  return { layers: diffIds, history }
}

export function historyEntry(createdBy: string, author: string, created: string | undefined): HistoryEntry {
  return { created, createdBy, author, comment: '', isEmptyLayer: created === undefined }
}

/** Key of everything in the image but its times. */
export function resultKey(stage: StagePlan, result: StageResult): string {
  const { config, author, platform } = stage
  const history = result.history.map(({ createdBy, isEmptyLayer }) => [createdBy, isEmptyLayer])
  return imageContentKey({ config, author, platform: formatPlatform(platform), layers: result.layers, history })
}

export function resultImage(stage: StagePlan, result: StageResult, created: string): ImageConfig {
  const { os, architecture, variant } = platformOf(stage)
  return {
    os,
    architecture,
    variant,
    created,
    author: stage.author,
    comment: '',
    config: stage.config,
    diffIds: result.layers,
    history: result.history.map((entry) => ({ ...entry, created: entry.created ?? created })),
  }
}

/** What the base says it is made for; what was asked for without one. */
function platformOf(stage: StagePlan): Pick<ImageConfig, 'os' | 'architecture' | 'variant'> {
  if (stage.base.kind === 'stage') return platformOf(stage.base.stage)
  if (stage.base.kind === 'scratch' || stage.base.image.config.architecture === '') return stage.platform
  return stage.base.image.config
}
