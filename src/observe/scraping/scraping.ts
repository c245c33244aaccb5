import { GloveboxError, isKind, limiter, messageOf, type Clock } from '#base'
import { familyWriters, labelText, readText, type MetricFamily, type MetricRegistry } from '#observe/metrics'

import { mergeTexts, type ScrapedText } from './merge.ts'
import { planTargets, type Candidate, type ScrapeTarget } from './targets.ts'

/** The text that a container tells, from inside its network. Errors: `scrape.unreachable`, `scrape.timeout`, `scrape.refused`, `scrape.too_large`. */
export type FetchText = (target: ScrapeTarget, of: { readonly timeoutMs: number; readonly maxBytes: number }) => Promise<string>

export interface ScrapingPorts {
  readonly candidates: () => readonly Candidate[]
  readonly fetch: FetchText
  readonly clock: Clock
  readonly registry: MetricRegistry
}

/** One container that wants to be asked, and what came of it the last time. */
export interface TargetStatus {
  readonly names: Readonly<Record<string, string>>
  /** `:8080/metrics`; empty where it could not be told. */
  readonly place: string
  /** null: it was not asked yet. */
  readonly atMs: number | null
  /** Why nothing, or not all, was taken; null: all is well. */
  readonly problem: string | null
  readonly samples: number
  readonly seconds: number
}

export interface Scraping {
  /** Asks all of them at once. `timeoutMs`: who has not answered by then is left out. */
  scrape(timeoutMs: number): Promise<readonly MetricFamily[]>
  /** Who wants to be asked now. */
  targets(): readonly TargetStatus[]
}

/** Of one container. Programs say some hundreds; who says more has put ids into labels. */
const MAX_SAMPLES = 10_000
/** 10,000 lines of 400 characters. */
const MAX_BYTES = 4 * 1024 * 1024
const AT_ONCE = 16
/** One container does not use up everybody's time. */
const LONGEST_MS = 5000
/** Who asks right behind another gets the same. */
const FRESH_MS = 1000

const SPECS = {
  up: { name: 'glovebox_target_up', type: 'gauge', help: 'Whether a container told its metrics.' },
  samples: { name: 'glovebox_target_samples', type: 'gauge', help: 'Samples that it told.' },
  time: { name: 'glovebox_target_scrape_duration_seconds', type: 'gauge', help: 'How long it took.' },
} as const

interface Outcome {
  readonly atMs: number
  readonly seconds: number
  readonly text: ScrapedText | null
  readonly problem: string | null
}

/** Asks containers for their metrics when somebody asks for them, and at no other time. */
export function createScraping({ candidates, fetch, clock, registry }: ScrapingPorts): Scraping {
  const outcomes = new Map<string, Outcome>()
  const failures = registry.counter({
    name: 'glovebox_target_failures_total',
    help: 'Containers that were asked for their metrics and told none, by why.',
    labels: ['reason'],
  })
  let last: { readonly startedMs: number; readonly answer: Promise<readonly MetricFamily[]> } | undefined

  const ask = async (target: ScrapeTarget, timeoutMs: number): Promise<Outcome> => {
    const atMs = clock.nowMs()
    const startedMs = clock.monotonicMs()
    const seconds = () => (clock.monotonicMs() - startedMs) / 1000
    try {
      const text = await fetch(target, { timeoutMs, maxBytes: MAX_BYTES })
      const families = readText(text, { maxSamples: MAX_SAMPLES })
      return { atMs, seconds: seconds(), problem: null, text: { names: target.names, families } }
    } catch (error) {
      failures.add([reasonOf(error)])
      return { atMs, seconds: seconds(), problem: messageOf(error), text: null }
    }
  }

  const scrapeAll = async (timeoutMs: number): Promise<readonly MetricFamily[]> => {
    const { targets, refused } = planTargets(candidates())
    const turns = limiter(AT_ONCE)
    const deadlineMs = clock.monotonicMs() + timeoutMs
    const asked = await Promise.all(
      targets.map(async (target) => {
        const outcome = await turns.run(
          async () => await ask(target, Math.max(1, Math.min(LONGEST_MS, deadlineMs - clock.monotonicMs()))),
        )
        return { target, outcome }
      }),
    )
    const told = asked.flatMap(({ outcome }) => outcome.text ?? [])
    const { families, problems } = mergeTexts(told)
    const { of, families: aboutThem } = familyWriters(SPECS)
    outcomes.clear()
    for (const { target, outcome } of asked) {
      const left = outcome.text === null ? undefined : problems.get(told.indexOf(outcome.text))
      outcomes.set(target.containerId, { ...outcome, problem: outcome.problem ?? left ?? null })
      const labels = labelText(target.names)
      of.up.set(labels, outcome.text === null ? 0 : 1)
      of.samples.set(labels, samplesOf(outcome))
      of.time.set(labels, outcome.seconds)
    }
    for (const { names } of refused) {
      failures.add(['misconfigured'])
      of.up.set(labelText(names), 0)
    }
    const own = new Set<string>(Object.values(SPECS).map(({ name }) => name))
    return [...aboutThem(), ...families.filter(({ name }) => !own.has(name))]
  }

  return {
    scrape: async (timeoutMs) => {
      const nowMs = clock.monotonicMs()
      if (last === undefined || nowMs - last.startedMs > FRESH_MS) last = { startedMs: nowMs, answer: scrapeAll(timeoutMs) }
      return await last.answer
    },
    targets: () => {
      const { targets, refused } = planTargets(candidates())
      const asked = targets.map(({ containerId, names, port, path }): TargetStatus => {
        const outcome = outcomes.get(containerId)
        const place = `:${port}${path}`
        if (outcome === undefined) return { names, place, atMs: null, problem: null, samples: 0, seconds: 0 }
        return {
          names,
          place,
          atMs: outcome.atMs,
          problem: outcome.problem,
          samples: samplesOf(outcome),
          seconds: outcome.seconds,
        }
      })
      return [
        ...asked,
        ...refused.map(({ names, reason }) => ({ names, place: '', atMs: null, problem: reason, samples: 0, seconds: 0 })),
      ]
    },
  }
}

function samplesOf({ text }: Outcome): number {
  return (text?.families ?? []).reduce((sum, { samples }) => sum + samples.length, 0)
}

/** One word of a closed list. */
function reasonOf(error: unknown): string {
  if (isKind(error, 'timeout')) return 'timeout'
  const code = error instanceof GloveboxError ? error.code : ''
  if (code === 'scrape.too_large') return 'too_large'
  if (code === 'scrape.refused') return 'refused'
  return code === 'metrics.exposition_invalid' ? 'invalid' : 'unreachable'
}
