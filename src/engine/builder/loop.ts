import { during, GloveboxError, type Digest } from '#base'
import { parseDockerfile } from '#oci/dockerfile'
import { hostPlatform, type Platform } from '#oci/image'

import type { BuildContext } from './context.ts'
import type { EmitBuildEvent, PlannedStage } from './events.ts'
import { isoTime } from './iso-time.ts'
import { imageKey, planBuild } from './plan.ts'
import type { Entitlement, PlanInput } from './plan-input.ts'
import type { BaseImage, BuildPorts, RunLimits, RunNetwork } from './ports.ts'
import { resultImage, resultKey, type StageResult } from './result-image.ts'
import { runStages } from './run-stages.ts'
import type { BuildPlan, StagePlan } from './steps.ts'
import type { StepContext } from './steps-context.ts'

export interface BuildRequest {
  readonly context: BuildContext
  readonly tags?: readonly string[]
  readonly buildArgs?: ReadonlyMap<string, string>
  readonly target?: string
  readonly platform?: Platform
  readonly labels?: Readonly<Record<string, string>>
  /** False does every step anew, and keeps the results. */
  readonly isCacheUsed?: boolean
  /** Asks the registries for newer bases. */
  readonly isPullForced?: boolean
  readonly network?: RunNetwork
  readonly limits?: RunLimits
  readonly entitlements?: ReadonlySet<Entitlement>
  /** By id, for `RUN --mount=type=secret`. */
  readonly secrets?: ReadonlyMap<string, Buffer>
  /** Sockets of SSH agents on this machine by id, for `RUN --mount=type=ssh`. */
  readonly sshAgents?: ReadonlyMap<string, string>
  readonly signal?: AbortSignal
}

export interface BuildOutcome {
  readonly imageId: Digest
}

/**
 * Builds an image. Progress goes to `emit`, a failure both there and to the caller. Whatever was done stays cached: a record is written after
 * its layer is stored, and `hold` hears its key before. Errors: `dockerfile.*`, `build.*`, and those of the ports.
 */
export async function buildImage(
  ports: BuildPorts,
  request: BuildRequest,
  emit: EmitBuildEvent,
  hold: (key: string) => void = () => undefined,
): Promise<BuildOutcome> {
  try {
    const plan = await planWithBases(ports, request, true)
    const build: StepContext = {
      ports,
      context: request.context,
      epochS: plan.epochS,
      isCacheUsed: request.isCacheUsed ?? true,
      limits: request.limits ?? {},
      secrets: request.secrets ?? new Map(),
      sshAgents: request.sshAgents ?? new Map(),
      signal: request.signal,
      emit,
      hold,
    }
    emit({
      kind: 'planned',
      stepCount: plan.stepCount,
      fileCount: request.context.fileCount,
      stages: plan.stages.map(plannedStage),
    })
    for (const warning of plan.warnings) emit({ kind: 'warning', ...warning })
    const result = await runStages(build, plan)
    const imageId = await commit(build, plan.target, result)
    emit({ kind: 'image', id: imageId })
    for (const reference of request.tags ?? []) {
      await ports.images.tag(imageId, reference)
      emit({ kind: 'tagged', id: imageId, reference })
    }
    return { imageId }
  } catch (error) {
    const shown = error instanceof GloveboxError ? error : during('build', error)
    emit({ kind: 'failed', error: shown })
    throw shown
  }
}

/** Looks for likely mistakes, as far as the target's bases and the text of the file show them, and builds nothing. */
export async function checkBuild(ports: BuildPorts, request: BuildRequest, emit: EmitBuildEvent): Promise<void> {
  const plan = await planWithBases(ports, request, false)
  for (const warning of plan.warnings) emit({ kind: 'warning', ...warning })
}

function plannedStage(stage: StagePlan): PlannedStage {
  const { number } = stage.from
  const name = stage.name ?? String(stage.index)
  return { name, firstStep: number, lastStep: stage.steps.at(-1)?.number ?? number }
}

/** Plans, resolves what the plan lacks, and plans again, until nothing is lacking: triggers of a base may name further images. */
async function planWithBases(ports: BuildPorts, request: BuildRequest, failsOnFindings: boolean): Promise<BuildPlan> {
  const { dockerfile } = request.context
  const input: PlanInput = {
    dockerfile: parseDockerfile(dockerfile.text, { file: dockerfile.name }),
    buildArgs: request.buildArgs ?? new Map(),
    target: request.target,
    platform: request.platform ?? hostPlatform(),
    buildPlatform: hostPlatform(),
    labels: request.labels ?? {},
    network: request.network ?? 'default',
    entitlements: request.entitlements ?? new Set(),
    failsOnFindings,
    isIgnored: request.context.isIgnored,
    namedContexts: request.context.named,
  }
  const resolved = new Map<string, BaseImage | null>()
  for (;;) {
    const planned = planBuild(input, resolved)
    if (planned.kind === 'plan') return planned.plan
    for (const need of planned.images) {
      if (resolved.has(imageKey(need))) continue
      const options = { platform: need.platform, isPullForced: request.isPullForced ?? false, signal: request.signal }
      resolved.set(imageKey(need), (await ports.images.resolve(need.reference, options)) ?? null)
    }
  }
}

/** An image of the same content keeps its time, and so its id. */
async function commit(build: StepContext, stage: StagePlan, result: StageResult): Promise<Digest> {
  const { cache, images, clock } = build.ports
  if (build.epochS !== undefined) return await images.commit(resultImage(stage, result, isoTime(build.epochS, 0)))
  const key = resultKey(stage, result)
  const known = build.isCacheUsed ? await cache.get(key) : undefined
  const created = known?.kind === 'image' ? known.created : isoTime(undefined, clock.nowMs())
  // First, so that a build that is repeated after a crash makes the very image that may be there without its name.
  if (known === undefined) await cache.put(key, { kind: 'image', created })
  return await images.commit(resultImage(stage, result, created))
}
