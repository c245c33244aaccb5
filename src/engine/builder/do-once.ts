import { during, GloveboxError } from '#base'

import { isoTime } from './iso-time.ts'
import type { LayerRecord } from './ports.ts'
import type { Step } from './steps.ts'
import type { LayerWork, MadeLayer, StepContext } from './steps-context.ts'

/** A here-document is a whole program; lists of the cache show its beginning. */
const MAX_DESCRIPTION_LENGTH = 500

/** Takes the result from the cache, or does the work while other builds that need the same wait for it. */
export async function doOnce(
  build: StepContext,
  work: LayerWork,
  step: Step,
): Promise<{ record: LayerRecord; isCached: boolean }> {
  const { cache, locks, clock } = build.ports
  build.hold(work.key)
  return await locks.run(`build ${work.key}`, async () => {
    const known = build.isCacheUsed ? await usableRecord(build, work.key) : undefined
    if (known !== undefined) {
      const record = { ...known, uses: known.uses + 1, lastUsed: isoTime(undefined, clock.nowMs()) }
      cache.note(work.key, record)
      return { record, isCached: true }
    }
    try {
      const record = recordOf(await work.make(), step, isoTime(build.epochS, clock.nowMs()))
      if (record.diffId !== undefined) await build.ports.layers.retain?.(work.key, [record.diffId])
      // Its layer is on the disk. A record that a power cut takes costs the step once more.
      cache.note(work.key, record)
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
export function atStep(step: Step, error: unknown): GloveboxError {
  if (error instanceof GloveboxError && error.message.startsWith(`${step.place.file}:`)) return error
  if (error instanceof GloveboxError && error.kind !== 'internal') return during(`${step.place.file}:${step.place.line}`, error)
  return during(`${step.place.file}:${step.place.line}: ${step.text.slice(0, 80)}`, error)
}
