import type { ContainerFacts, MemorySample } from './facts.ts'
import { binary, span } from './words.ts'

export function memoryLine(limitBytes: number | null): string {
  return limitBytes === null ? 'the host has' : `its limit of ${binary(limitBytes)}`
}

/** Points of a curve that a line can hold. */
const SHOWN_SAMPLES = 6

/** What is known of the memory of one that ran out of it. */
export function endedByMemory(container: ContainerFacts | undefined): readonly string[] {
  if (container === undefined) return []
  const { limitBytes, peakBytes, samples } = container.memory
  const limit = limitBytes === null ? '' : `, the limit is ${binary(limitBytes)}`
  const peak = peakBytes === null ? [] : [`it had ${binary(peakBytes)} at the most${limit}`]
  return [...peak, ...curve(samples)]
}

/** `memory: 2 MiB, 7 MiB, 15 MiB within 3 s`: the first, the last and what is evenly between. */
export function curve(samples: readonly MemorySample[]): readonly string[] {
  const [first] = samples
  const last = samples.at(-1)
  if (first === undefined || last === undefined || samples.length < 2) return []
  const step = Math.max(1, (samples.length - 1) / (SHOWN_SAMPLES - 1))
  const count = Math.min(SHOWN_SAMPLES, samples.length)
  const shown = Array.from({ length: count }, (_, index) => samples[Math.round(index * step)] ?? last)
  return [`memory: ${shown.map(({ bytes }) => binary(bytes)).join(', ')} within ${span(last.atMs - first.atMs)}`]
}
