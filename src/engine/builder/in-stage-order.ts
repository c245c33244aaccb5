import type { BuildEvent, EmitBuildEvent, PlannedStage } from './events.ts'

/** Output that waits for its stage to be shown; beyond it the end of a stage's output is what is kept. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024

/**
 * Puts the events of stages that run side by side one stage after the other, as they would come if nothing ran at the same time: for readers
 * that know of one step at a time. The first unfinished stage is passed on as it happens.
 */
export function inStageOrder(emit: EmitBuildEvent): EmitBuildEvent {
  let stages: readonly PlannedStage[] = []
  let shown = 0
  let waiting: BuildEvent[][] = []
  let waitingBytes = 0
  const stageOf = (number: number) => stages.findIndex(({ firstStep, lastStep }) => number >= firstStep && number <= lastStep)
  const isEnd = (event: BuildEvent) => event.kind === 'step-done' && event.number === stages[shown]?.lastStep
  const keep = (stage: number, event: BuildEvent) => {
    waitingBytes += event.kind === 'output' ? event.chunk.length : 0
    const mine = (waiting[stage] ??= [])
    mine.push(event)
    while (waitingBytes > MAX_WAITING_BYTES) waitingBytes -= dropOutput(waiting)
  }
  const show = (event: BuildEvent) => {
    emit(event)
    if (!isEnd(event)) return
    shown += 1
    const next = waiting[shown] ?? []
    waiting[shown] = []
    for (const held of next) {
      waitingBytes -= held.kind === 'output' ? held.chunk.length : 0
      show(held)
    }
  }
  return (event) => {
    if (event.kind === 'planned') {
      stages = event.stages
      waiting = stages.map(() => [])
    }
    if (event.kind === 'failed') {
      // What failed may be of a later stage than the one that is shown: its last words are worth reading.
      for (const held of waiting.flat()) emit(held)
      waiting = []
    }
    const stage = 'number' in event ? stageOf(event.number) : -1
    if (stage > shown) keep(stage, event)
    else show(event)
  }
}

/** Takes the oldest output away; gives its length. */
function dropOutput(waiting: readonly BuildEvent[][]): number {
  for (const events of waiting) {
    const at = events.findIndex(({ kind }) => kind === 'output')
    const [dropped] = at < 0 ? [] : events.splice(at, 1)
    if (dropped?.kind === 'output') return dropped.chunk.length
  }
  return Number.POSITIVE_INFINITY
}
