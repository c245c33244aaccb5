import { during, GloveboxError } from '#base'
import { formatPlatform } from '#oci/image'

import { attest } from './attestations/attest.ts'
import { builtImage, type BuiltImage } from './built-image.ts'
import { cacheView, type CacheView } from './cache-view.ts'
import type { BuildEvent, EmitBuildEvent, PlannedStage } from './events.ts'
import { exportCaches } from './exchange/export-cache.ts'
import { openCaches } from './exchange/import-cache.ts'
import { sendOutputs } from './outputs/send-outputs.ts'
import { STORED } from './outputs/output.ts'
import { planPlatforms, refuseForeign, type PlatformPlan } from './plan-platforms.ts'
import type { BuildPorts } from './ports.ts'
import type { BuildOutcome, BuildRequest } from './request.ts'
import { runStages } from './run-stages.ts'
import type { StepContext } from './steps-context.ts'

/**
 * Builds an image, or one for each platform. Progress goes to `emit`, a failure both there and to the caller. Whatever was done stays cached:
 * a record is written after its layer is stored, and `hold` hears its key before. Errors: `dockerfile.*`, `build.*`, and those of the ports.
 */
export async function buildImage(
  ports: BuildPorts,
  request: BuildRequest,
  emit: EmitBuildEvent,
  hold: (key: string) => void = () => undefined,
): Promise<BuildOutcome> {
  try {
    return await buildAndSend(ports, request, emit, hold)
  } catch (error) {
    const shown = error instanceof GloveboxError ? error : during('build', error)
    emit({ kind: 'failed', error: shown })
    throw shown
  }
}

/** Looks for likely mistakes, as far as the target's bases and the text of the file show them, and builds nothing. */
export async function checkBuild(ports: BuildPorts, request: BuildRequest, emit: EmitBuildEvent): Promise<void> {
  for (const { plan } of await planPlatforms(ports, request, false))
    for (const warning of plan.warnings) emit({ kind: 'warning', ...warning })
}

async function buildAndSend(
  ports: BuildPorts,
  request: BuildRequest,
  emit: EmitBuildEvent,
  hold: (key: string) => void,
): Promise<BuildOutcome> {
  const startedMs = ports.clock.nowMs()
  const plans = await planPlatforms(ports, request, true)
  refuseForeign(plans, ports.canRun)
  announce(plans, request, emit)
  await using caches = await openCaches(ports, request, emit)
  const view = cacheView(ports.cache, ports.layers, caches.foreign)
  const images = await runPlans({ ...ports, cache: view }, request, plans, emit, hold)
  const attested = await attest(ports, request, images, { startedMs, finishedMs: ports.clock.nowMs() })
  const outputs = request.outputs ?? [STORED]
  const sent = { ports, request, images: attested, outputs, inline: inlineRecords(request, view) }
  const imageId = await sendOutputs(sent, emit)
  await exportCaches(ports, request, images, view, emit)
  return { imageId }
}

function inlineRecords({ cacheTo = [] }: BuildRequest, view: CacheView) {
  return cacheTo.some(({ kind }) => kind === 'inline') ? view.touched() : undefined
}

function announce(plans: readonly PlatformPlan[], request: BuildRequest, emit: EmitBuildEvent): void {
  const stages = plans.flatMap((one) => plannedStages(one, plans.length > 1))
  const stepCount = plans.reduce((sum, { plan }) => sum + plan.stepCount, 0)
  emit({ kind: 'planned', stepCount, fileCount: request.context.fileCount, stages })
  const told = new Set<string>()
  for (const { plan } of plans)
    for (const warning of plan.warnings) {
      const text = JSON.stringify(warning)
      if (!told.has(text)) emit({ kind: 'warning', ...warning })
      told.add(text)
    }
}

function plannedStages({ plan, platform, stepsBefore }: PlatformPlan, isOneOfSeveral: boolean): readonly PlannedStage[] {
  return plan.stages.map((stage) => {
    const { number } = stage.from
    const name = stage.name ?? String(stage.index)
    return {
      name: isOneOfSeveral ? `${formatPlatform(platform)} ${name}` : name,
      firstStep: stepsBefore + number,
      lastStep: stepsBefore + (stage.steps.at(-1)?.number ?? number),
    }
  })
}

/** All side by side. The first failure stops the others, and is thrown when they have ended. */
async function runPlans(
  ports: BuildPorts,
  request: BuildRequest,
  plans: readonly PlatformPlan[],
  emit: EmitBuildEvent,
  hold: (key: string) => void,
): Promise<readonly BuiltImage[]> {
  const stop = new AbortController()
  const signal = request.signal === undefined ? stop.signal : AbortSignal.any([request.signal, stop.signal])
  const stepCount = plans.reduce((sum, { plan }) => sum + plan.stepCount, 0)
  const owner = {}
  const later: Promise<void>[] = []
  const finishLater = (work: PromiseLike<void>): void => {
    const kept = Promise.resolve(work)
    // Looked at when the build ends.
    kept.catch(() => undefined)
    later.push(kept)
  }
  let failure: { readonly error: unknown } | undefined
  const works = plans.map(async ({ plan, stepsBefore }) => {
    const build: StepContext = {
      ports,
      context: request.context,
      epochS: plan.epochS,
      isCacheUsed: request.isCacheUsed ?? true,
      uncachedStages: new Set((request.uncachedStages ?? []).map((name) => name.toLowerCase())),
      limits: request.limits ?? {},
      secrets: request.secrets ?? new Map(),
      sshAgents: request.sshAgents ?? new Map(),
      signal,
      emit: (event) => emit(numbered(event, stepsBefore, stepCount)),
      hold,
      owner,
      finishLater,
    }
    try {
      return await builtImage(build, plan, await runStages(build, plan))
    } catch (error) {
      failure ??= { error }
      stop.abort()
      return undefined
    }
  })
  const images = await Promise.all(works)
  const ends = await Promise.allSettled(later)
  if (failure !== undefined) throw failure.error
  for (const end of ends) if (end.status === 'rejected') throw during('clean up after a step', end.reason)
  return images.filter((image) => image !== undefined)
}

/** Steps of several plans count on. */
function numbered(event: BuildEvent, before: number, total: number): BuildEvent {
  if (!('number' in event)) return event
  const number = event.number + before
  return event.kind === 'step-started' ? { ...event, number, total } : { ...event, number }
}
