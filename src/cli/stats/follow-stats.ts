import { isKind } from '#base'
import type { Client, DockerStats } from '#client'

import type { Row } from '../listing/listing.ts'
import { statsRow, unknownStatsRow } from '../listing/stats-rows.ts'

export interface FollowedStats {
  add(container: string): void
  /** Follows these containers from now on, and no others. */
  keepOnly(containers: readonly string[]): void
  size(): number
  /** The latest reading of each, in the order in which they were added. */
  rows(): readonly Row[]
  /** When each has ended: after one reading with `once`. */
  settled(): Promise<void>
  /** What went wrong with the first that could not be read. */
  throwFailure(): void
}

interface Followed {
  readonly abort: AbortController
  latest: DockerStats | undefined
  done: Promise<void>
}

/** Reads the figures of several containers at once, each on a connection of its own. */
export function followStats(
  client: Client,
  options: { readonly isWhole: boolean; readonly signal: AbortSignal; readonly once: boolean; readonly mayVanish: boolean },
): FollowedStats {
  const followed = new Map<string, Followed>()
  const failures: unknown[] = []
  const follow = async (container: string, one: Followed) => {
    try {
      const signal = AbortSignal.any([options.signal, one.abort.signal])
      for await (const reading of client.containers.stats(container, { stream: !options.once }, signal)) one.latest = reading
      // A container that is gone has no line; one reading is all there is with `once`.
      if (!options.once) followed.delete(container)
    } catch (error) {
      followed.delete(container)
      if (!isKind(error, 'cancelled') && !(options.mayVanish && isKind(error, 'not_found'))) failures.push(error)
    }
  }
  const add = (container: string) => {
    const one: Followed = { abort: new AbortController(), latest: undefined, done: Promise.resolve() }
    followed.set(container, one)
    one.done = follow(container, one)
  }
  return {
    add,
    keepOnly: (containers) => {
      for (const [name, one] of followed)
        if (!containers.includes(name)) {
          one.abort.abort()
          followed.delete(name)
        }
      for (const name of containers) if (!followed.has(name)) add(name)
    },
    size: () => followed.size,
    rows: () =>
      [...followed].map(([name, { latest }]) =>
        latest === undefined
          ? unknownStatsRow(name)
          : statsRow(options.isWhole ? name : name.slice(0, 12), latest, options.isWhole),
      ),
    settled: async () => void (await Promise.all([...followed.values()].map((one) => one.done))),
    throwFailure: () => {
      if (failures.length > 0) throw failures[0]
    },
  }
}
