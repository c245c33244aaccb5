import type { Digest } from '#base'
import { digestOf } from '#oci/digest'
import { platform, writeImageConfig, type ImageConfig, type Platform } from '#oci/image'

import { isoTime } from './iso-time.ts'
import { resultImage, resultKey, type StageResult } from './result-image.ts'
import type { BuildPlan } from './steps.ts'
import type { StepContext } from './steps-context.ts'

/** The image of one platform: all its layers are stored, itself not yet. */
export interface BuiltImage {
  readonly id: Digest
  readonly config: ImageConfig
  readonly configBytes: Buffer
  readonly platform: Platform
  readonly plan: BuildPlan
}

/** An image of the same content keeps its time, and so its id. */
export async function builtImage(build: StepContext, plan: BuildPlan, result: StageResult): Promise<BuiltImage> {
  const config = resultImage(plan.target, result, await createdAt(build, plan, result))
  const configBytes = writeImageConfig(config)
  const own = platform(config.os, config.architecture, config.variant)
  return { id: digestOf(configBytes), config, configBytes, platform: own, plan }
}

async function createdAt(build: StepContext, { target }: BuildPlan, result: StageResult): Promise<string> {
  const { cache, clock } = build.ports
  if (build.epochS !== undefined) return isoTime(build.epochS, 0)
  const key = resultKey(target, result)
  const known = build.isCacheUsed ? await cache.get(key) : undefined
  if (known?.kind === 'image') return known.created
  const created = isoTime(undefined, clock.nowMs())
  // First, so that a build that is repeated after a crash makes the very image that may be there without its name.
  cache.note(key, { kind: 'image', created })
  return created
}
