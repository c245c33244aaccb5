import { hash } from 'node:crypto'

import { during, fail, GloveboxError, unreachable, type Digest } from '#base'
import { parseDockerfile } from '#oci/dockerfile'
import { hostPlatform, type Platform } from '#oci/image'

import type { BuildContext } from './context.ts'
import { copyWork } from './copy-step.ts'
import { layOutWorkdir } from './copy-layout.ts'
import type { EmitBuildEvent } from './events.ts'
import { workdirKey } from './keys.ts'
import { layerTar } from './layer-items.ts'
import { resolveOwner } from './owners.ts'
import { imageKey, planBuild } from './plan.ts'
import type { PlanInput } from './plan-input.ts'
import type { BaseImage, BuildPorts, LayerRecord, RunLimits, RunNetwork } from './ports.ts'
import { baseResult, historyEntry, resultImage, resultKey, type StageResult } from './result-image.ts'
import { runWork } from './run-step.ts'
import type { BuildPlan, StagePlan, Step, StepAction, WorkdirAction } from './steps.ts'
import type { LayerWork, MadeLayer, StepContext } from './steps-context.ts'

/** A here-document is a whole program; lists of the cache show its beginning. */
const MAX_DESCRIPTION_LENGTH = 500

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
    const plan = await planWithBases(ports, request)
    const build: StepContext = {
      ports,
      context: request.context,
      epochS: plan.epochS,
      isCacheUsed: request.isCacheUsed ?? true,
      limits: request.limits ?? {},
      signal: request.signal,
      emit,
      hold,
    }
    emit({ kind: 'planned', stepCount: plan.stepCount, fileCount: request.context.fileCount })
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

/** Plans, resolves what the plan lacks, and plans again, until nothing is lacking: triggers of a base may name further images. */
async function planWithBases(ports: BuildPorts, request: BuildRequest): Promise<BuildPlan> {
  const { dockerfile } = request.context
  const input: PlanInput = {
    dockerfile: parseDockerfile(dockerfile.text, { file: dockerfile.name }),
    buildArgs: request.buildArgs ?? new Map(),
    target: request.target,
    platform: request.platform ?? hostPlatform(),
    buildPlatform: hostPlatform(),
    labels: request.labels ?? {},
    network: request.network ?? 'default',
    mountKinds: ports.runner.mountKinds,
    isIgnored: request.context.isIgnored,
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

async function runStages(build: StepContext, plan: BuildPlan): Promise<StageResult> {
  const results = new Map<number, StageResult>()
  for (const stage of plan.stages) results.set(stage.index, await runStage(build, plan, stage, results))
  return results.get(plan.target.index) ?? baseResult(undefined)
}

async function runStage(
  build: StepContext,
  plan: BuildPlan,
  stage: StagePlan,
  results: ReadonlyMap<number, StageResult>,
): Promise<StageResult> {
  const { base } = stage
  let result = base.kind === 'stage' ? results.get(base.stage.index) : undefined
  result ??= baseResult(base.kind === 'image' ? base.image.config : undefined)
  report(build, plan, stage.from)(result, false, undefined)
  for (const step of stage.steps) {
    if (build.signal?.aborted === true) throw fail('operation.cancelled', 'the build was cancelled')
    const done = report(build, plan, step)
    const work = await workOf(build, step, result, results)
    if (work === undefined) {
      result = { ...result, history: [...result.history, historyEntry(step.createdBy, stage.author, undefined)] }
      done(result, false, undefined)
      continue
    }
    const { record, isCached } = await doOnce(build, work, step)
    result = withLayer(result, step, stage.author, record)
    done(result, isCached, record.diffId)
  }
  return result
}

function withLayer(result: StageResult, step: Step, author: string, record: LayerRecord): StageResult {
  const entry = historyEntry(step.createdBy, author, record.diffId === undefined ? undefined : record.created)
  const layers = record.diffId === undefined ? result.layers : [...result.layers, record.diffId]
  return { layers, history: [...result.history, entry] }
}

/** Says that a step began, and gives what says that it ended. */
function report(build: StepContext, plan: BuildPlan, step: Pick<Step, 'number' | 'text' | 'place'>) {
  const { clock } = build.ports
  const startedMs = clock.monotonicMs()
  build.emit({ kind: 'step-started', number: step.number, total: plan.stepCount, text: step.text, place: step.place })
  return (result: StageResult, isCached: boolean, diffId: Digest | undefined): void => {
    const stateId = hash('sha256', JSON.stringify([result.layers, result.history.map(({ createdBy }) => createdBy)]), 'hex')
    build.emit({ kind: 'step-done', number: step.number, isCached, diffId, stateId, durationMs: clock.monotonicMs() - startedMs })
  }
}

async function workOf(
  build: StepContext,
  step: Step,
  result: StageResult,
  results: ReadonlyMap<number, StageResult>,
): Promise<LayerWork | undefined> {
  const action: StepAction = step.action
  try {
    switch (action.kind) {
      case 'metadata':
        return undefined
      case 'run':
        return runWork(build, action, result.layers, step.number, step.place)
      case 'workdir':
        return workdirWork(build, action, result.layers)
      case 'copy': {
        const { from } = action
        if (from.kind === 'context') return await copyWork(build, action, result.layers, undefined)
        const layers = from.kind === 'image' ? from.layers : (results.get(from.stage.index)?.layers ?? [])
        return await copyWork(build, action, result.layers, layers)
      }
      default:
        return unreachable(action)
    }
  } catch (error) {
    throw atStep(step, error)
  }
}

function workdirWork(build: StepContext, action: WorkdirAction, layers: readonly Digest[]): LayerWork {
  const make = async (): Promise<MadeLayer | undefined> => {
    await using root = await build.ports.root.open(layers)
    const ownerOf = async () => (action.user === '' ? { uid: 0, gid: 0 } : await resolveOwner(action.user, root))
    const items = await layOutWorkdir(action.path, root, ownerOf, build.epochS ?? Math.floor(build.ports.clock.nowMs() / 1000))
    return items.size === 0 ? undefined : await build.ports.layers.addLayerTar(layerTar(items, build.epochS))
  }
  return { key: workdirKey(action, layers, build.epochS), make }
}

/** Takes the result from the cache, or does the work while other builds that need the same wait for it. */
async function doOnce(build: StepContext, work: LayerWork, step: Step): Promise<{ record: LayerRecord; isCached: boolean }> {
  const { cache, locks, clock } = build.ports
  build.hold(work.key)
  return await locks.run(`build ${work.key}`, async () => {
    const known = build.isCacheUsed ? await usableRecord(build, work.key) : undefined
    if (known !== undefined) {
      const record = { ...known, uses: known.uses + 1, lastUsed: isoTime(undefined, clock.nowMs()) }
      await cache.put(work.key, record)
      return { record, isCached: true }
    }
    try {
      const record = recordOf(await work.make(), step, isoTime(build.epochS, clock.nowMs()))
      if (record.diffId !== undefined) await build.ports.layers.retain?.(work.key, [record.diffId])
      await cache.put(work.key, record)
      return { record, isCached: false }
    } catch (error) {
      throw atStep(step, error)
    }
  })
}

async function usableRecord({ ports }: StepContext, key: string): Promise<LayerRecord | undefined> {
  const known = await ports.cache.get(key)
  if (known?.kind !== 'layer') return undefined
  return known.diffId === undefined || (await ports.layers.has(known.diffId)) ? known : undefined
}

function recordOf(made: MadeLayer | undefined, step: Step, created: string): LayerRecord {
  const description = step.text.slice(0, MAX_DESCRIPTION_LENGTH)
  const layer = { diffId: made?.diffId, sizeBytes: made?.sizeBytes ?? 0 }
  return { kind: 'layer', ...layer, description, created, lastUsed: null, uses: 0 }
}

/** Names the line, unless the error does. */
function atStep(step: Step, error: unknown): GloveboxError {
  if (error instanceof GloveboxError && error.message.startsWith(`${step.place.file}:`)) return error
  if (error instanceof GloveboxError && error.kind !== 'internal') return during(`${step.place.file}:${step.place.line}`, error)
  return during(`${step.place.file}:${step.place.line}: ${step.text.slice(0, 80)}`, error)
}

/** An image of the same content keeps its time, and so its id. */
async function commit(build: StepContext, stage: StagePlan, result: StageResult): Promise<Digest> {
  const { cache, images, clock } = build.ports
  if (build.epochS !== undefined) return await images.commit(resultImage(stage, result, isoTime(build.epochS, 0)))
  const key = resultKey(stage, result)
  const known = build.isCacheUsed ? await cache.get(key) : undefined
  const created = known?.kind === 'image' ? known.created : isoTime(undefined, clock.nowMs())
  const id = await images.commit(resultImage(stage, result, created))
  if (known === undefined) await cache.put(key, { kind: 'image', created })
  return id
}

function isoTime(epochS: number | undefined, nowMs: number): string {
  return new Date(epochS === undefined ? nowMs : epochS * 1000).toISOString()
}
