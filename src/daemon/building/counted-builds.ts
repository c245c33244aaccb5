import type { Clock } from '#base'
import type { Builder } from '#engine/builder'

/** A builder that knows since when it is at work. */
export interface CountedBuilder extends Builder {
  /** Wall clock, when the oldest of the builds that run began; null: none runs. */
  oldestStartMs(): number | null
}

export function countedBuilds(builder: Builder, clock: Clock): CountedBuilder {
  const running = new Map<symbol, number>()
  const begin = (): Disposable => {
    const key = Symbol('build')
    running.set(key, clock.nowMs())
    return { [Symbol.dispose]: () => void running.delete(key) }
  }
  return {
    ...builder,
    run: async (request, emit) => {
      using _build = begin()
      return await builder.run(request, emit)
    },
    build: async function* (request, context, signal) {
      using _build = begin()
      yield* builder.build(request, context, signal)
    },
    oldestStartMs: () => (running.size === 0 ? null : Math.min(...running.values())),
  }
}
