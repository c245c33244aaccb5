import type { Clock } from '#base'
import type { Client } from '#client'

import { counted } from '../output/units.ts'
import { planChanges, type Change, type DevPlan } from './plan.ts'
import type { ServiceRule } from './rules.ts'
import { copyFiles, removeFiles, runExec } from './sync.ts'

export interface ServiceWorkNeeds {
  readonly service: string
  readonly rules: readonly ServiceRule[]
  readonly client: Client
  readonly clock: Clock
  /** Those of its containers that run. */
  readonly containers: () => Promise<readonly string[]>
  /** A new image in place of the old one; resolves when its containers run. */
  readonly rebuild: (why: string) => Promise<void>
  readonly say: (text: string) => void
  readonly complain: (error: unknown) => void
}

/** What one service is brought after changes, one thing at a time; changes that come meanwhile go together. */
export interface ServiceWork {
  take(changes: readonly Change[]): void
  /** A container began to run: it may lack what was sent to the ones before it. */
  catchUp(container: string): void
  /** When there is nothing more to do. */
  settled(): Promise<void>
}

/** More paths than this in one image's time are better built anew. */
const MAX_REMEMBERED = 100_000

export function serviceWork(needs: ServiceWorkNeeds): ServiceWork {
  const { service, rules, client, clock } = needs
  let pending: Change[] = []
  const late = new Set<string>()
  /** What was changed since the image was built. */
  const since = new Map<string, Change>()
  let running: Promise<void> | undefined

  const sync = async (containers: readonly string[], plan: DevPlan) =>
    await Promise.all(
      containers.map(async (container) => {
        await removeFiles(client, container, plan.removals)
        await copyFiles(client, container, plan.copies)
      }),
    )
  const perform = async (plan: DevPlan) => {
    const startedMs = clock.monotonicMs()
    const containers = await needs.containers()
    await sync(containers, plan)
    if (plan.restarts) await Promise.all(containers.map((container) => client.containers.restart(container, {})))
    else for (const exec of plan.execs) await Promise.all(containers.map((container) => runExec(client, container, exec)))
    needs.say(`${service}: ${doneText(plan)} in ${Math.round(clock.monotonicMs() - startedMs)} ms`)
  }
  const step = async () => {
    const changes = pending
    pending = []
    const plan = planChanges(rules, changes)
    if (plan === undefined) return
    if (plan.rebuild !== null) {
      // From here on the image has it.
      since.clear()
      await needs.rebuild(plan.rebuild)
      return
    }
    for (const change of changes) if (since.size < MAX_REMEMBERED) since.set(change.path, change)
    await perform(plan)
  }
  const bring = async () => {
    const containers = [...late]
    late.clear()
    const plan = planChanges(rules, [...since.values()])
    if (plan !== undefined && plan.rebuild === null) await sync(containers, plan)
  }
  const work = async () => {
    while (pending.length > 0 || late.size > 0)
      try {
        if (pending.length > 0) await step()
        else await bring()
      } catch (error) {
        needs.complain(error)
      }
    running = undefined
  }
  const go = () => {
    running ??= work()
  }
  return {
    take: (changes) => {
      pending.push(...changes)
      go()
    },
    catchUp: (container) => {
      if (since.size === 0) return
      late.add(container)
      go()
    },
    settled: async () => await (running ?? Promise.resolve()),
  }
}

function doneText({ copies, removals, restarts, execs }: DevPlan): string {
  const parts = [
    ...(copies.length === 0 ? [] : [`sent ${copies.length === 1 ? (copies[0]?.target ?? '') : counted(copies.length, 'file')}`]),
    ...(removals.length === 0
      ? []
      : [`removed ${removals.length === 1 ? (removals[0] ?? '') : counted(removals.length, 'path')}`]),
    ...(restarts ? ['restarted'] : execs.map(({ command }) => `ran ${command.join(' ')}`)),
  ]
  return parts.join(', ')
}
