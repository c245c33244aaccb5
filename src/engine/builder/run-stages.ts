import { hash } from 'node:crypto'

import { fail, type Digest } from '#base'

import { doOnce } from './do-once.ts'
import type { LayerRecord } from './ports.ts'
import { baseResult, historyEntry, type StageResult } from './result-image.ts'
import { workOf } from './step-work.ts'
import type { BuildPlan, CopyFrom, PlannedMount, StagePlan, Step, StepAction } from './steps.ts'
import type { StepContext } from './steps-context.ts'

/**
 * Carries out all stages side by side. A stage waits for its base before it begins, and for a stage that it copies from only at that
 * step. The first failure stops the others; it is thrown when all have ended, so that nothing of a build outlives it.
 */
export async function runStages(given: StepContext, plan: BuildPlan): Promise<StageResult> {
  const stop = new AbortController()
  const signal = given.signal === undefined ? stop.signal : AbortSignal.any([given.signal, stop.signal])
  const build: StepContext = { ...given, signal }
  const results = new Map<number, Promise<StageResult>>()
  let failure: { readonly error: unknown } | undefined
  const resultOf = async (stage: StagePlan): Promise<StageResult> => await (results.get(stage.index) ?? baseResult(undefined))
  // Bases come before the stages that stand on them: each promise is there when it is asked for.
  for (const stage of plan.stages) {
    const running = runStage(build, plan, stage, resultOf).catch((error: unknown) => {
      failure ??= { error }
      stop.abort()
      throw error
    })
    results.set(stage.index, running)
  }
  await Promise.allSettled(results.values())
  if (failure !== undefined) throw failure.error
  return await resultOf(plan.target)
}

async function runStage(
  given: StepContext,
  plan: BuildPlan,
  stage: StagePlan,
  resultOf: (stage: StagePlan) => Promise<StageResult>,
): Promise<StageResult> {
  const { base } = stage
  const isUncached = given.uncachedStages.has(stage.name?.toLowerCase() ?? '') || given.uncachedStages.has(String(stage.index))
  const build: StepContext = isUncached ? { ...given, isCacheUsed: false } : given
  let result =
    base.kind === 'stage' ? await resultOf(base.stage) : baseResult(base.kind === 'image' ? base.image.config : undefined)
  let stateId = hash('sha256', JSON.stringify([result.layers, result.history.map(({ createdBy }) => createdBy)]), 'hex')
  report(build, plan, stage.from)(stateId, false, undefined)
  for (const step of stage.steps) {
    refuseStopped(build)
    for (const needed of stagesOf(step.action)) await resultOf(needed)
    const done = report(build, plan, step)
    const work = await workOf(build, step, result, async (from) => (await resultOf(from)).layers)
    if (work === undefined) {
      result = { ...result, history: [...result.history, historyEntry(step.createdBy, stage.author, undefined)] }
      stateId = stateAfter(stateId, step, undefined)
      done(stateId, false, undefined)
      continue
    }
    const { record, isCached } = await doOnce(build, work, step)
    result = withLayer(result, step, stage.author, record)
    stateId = stateAfter(stateId, step, record.diffId)
    done(stateId, isCached, record.diffId)
  }
  return result
}

/** The stages that a step takes files from. */
function stagesOf(action: StepAction): readonly StagePlan[] {
  if (action.kind !== 'copy' && action.kind !== 'run') return []
  const sources = action.kind === 'copy' ? [action.from] : action.mounts.flatMap(sourceOf)
  return sources.flatMap((from) => (from.kind === 'stage' ? [from.stage] : []))
}

function sourceOf(mount: PlannedMount): readonly CopyFrom[] {
  if (mount.kind === 'tree') return [mount.from]
  return mount.kind === 'cache' && mount.seed !== undefined ? [mount.seed.from] : []
}

function refuseStopped(build: StepContext): void {
  if (build.signal?.aborted === true) throw fail('operation.cancelled', 'the build was cancelled')
}

function withLayer(result: StageResult, step: Step, author: string, record: LayerRecord): StageResult {
  const entry = historyEntry(step.createdBy, author, record.diffId === undefined ? undefined : record.created)
  const layers = record.diffId === undefined ? result.layers : [...result.layers, record.diffId]
  return { layers, history: [...result.history, entry] }
}

/** Names what a stage has come to: by what it was before, and what was done. */
function stateAfter(before: string, step: Step, diffId: Digest | undefined): string {
  return hash('sha256', JSON.stringify([before, step.createdBy, diffId]), 'hex')
}

/** Says that a step began, and gives what says that it ended. */
function report(build: StepContext, plan: BuildPlan, step: Pick<Step, 'number' | 'text' | 'place'>) {
  const { clock } = build.ports
  const startedMs = clock.monotonicMs()
  build.emit({ kind: 'step-started', number: step.number, total: plan.stepCount, text: step.text, place: step.place })
  return (stateId: string, isCached: boolean, diffId: Digest | undefined): void => {
    build.emit({ kind: 'step-done', number: step.number, isCached, diffId, stateId, durationMs: clock.monotonicMs() - startedMs })
  }
}
