import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { fail, type Digest } from '#base'

import type { BuildEvent, PlannedStage } from './events.ts'
import { inStageOrder } from './in-stage-order.ts'

const place = { file: 'Dockerfile', line: 1 }
const started = (number: number): BuildEvent => ({ kind: 'step-started', number, total: 9, text: '', place })
const output = (number: number, text: string): BuildEvent => ({
  kind: 'output',
  number,
  stream: 'stdout',
  chunk: Buffer.from(text),
})
const done = (number: number): BuildEvent => ({
  kind: 'step-done',
  number,
  isCached: false,
  diffId: undefined,
  stateId: '',
  durationMs: 0,
})

const planned = (stages: readonly PlannedStage[]): BuildEvent => ({ kind: 'planned', stepCount: 9, fileCount: 0, stages })

/** Each stage has so many steps. */
function stagesOf(counts: readonly number[]): PlannedStage[] {
  let firstStep = 1
  return counts.map((count, index) => {
    const stage = { name: String(index), firstStep, lastStep: firstStep + count - 1 }
    firstStep += count
    return stage
  })
}

test('whatever order stages run in, they are told one after the other, and nothing is lost', () => {
  const plan = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(plan, fc.infiniteStream(fc.nat()), (counts, choices) => {
      const stages = stagesOf(counts)
      const queues = stages.map(({ firstStep, lastStep }) =>
        Array.from({ length: lastStep - firstStep + 1 }, (_, at) => firstStep + at).flatMap((number) => [
          started(number),
          output(number, 'x'),
          done(number),
        ]),
      )
      const told: BuildEvent[] = []
      const emit = inStageOrder((event) => told.push(event))
      emit(planned(stages))
      for (let open = queues; open.length > 0; open = open.filter((queue) => queue.length > 0)) {
        const next = open[(choices.next().value as number) % open.length]?.shift()
        if (next !== undefined) emit(next)
      }
      emit({ kind: 'image', id: 'sha256:1' as Digest })
      const numbers = told.flatMap((event) => ('number' in event ? [event.number] : []))
      assert.deepEqual(
        numbers,
        numbers.toSorted((a, b) => a - b),
      )
      assert.equal(told.length, 2 + 3 * counts.reduce((sum, count) => sum + count, 0))
      assert.equal(told.at(-1)?.kind, 'image')
    }),
  )
})

test('a failure of a later stage brings its output with it', () => {
  const told: string[] = []
  const emit = inStageOrder((event) => told.push(event.kind === 'output' ? event.chunk.toString() : event.kind))
  for (const event of [planned(stagesOf([1, 1])), started(1), started(2), output(2, 'no such file')]) emit(event)
  emit({ kind: 'failed', error: fail('operation.cancelled', 'x') })
  assert.deepEqual(told, ['planned', 'step-started', 'step-started', 'no such file', 'failed'])
})
