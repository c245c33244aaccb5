import { formatBytes, messageOf } from '#base'

import { carryOut, itemOf } from './carry-out.ts'
import { CLOCK_JUMP_MS, DISK_FULL_GAP_MS, DISK_PASS_GAP_MS, DISK_WATCH_MS, FIRST_PASS_MS, PASS_INTERVAL_MS } from './limits.ts'
import type { CollectionNeeds } from './needs.ts'
import { planCollection } from './plan.ts'
import { policyText, shareBytes } from './policy.ts'
import type { Collection, CollectionRun, CollectionTrigger } from './port.ts'
import { openRuns } from './runs.ts'
import { takeView } from './view.ts'

export function createCollection(needs: CollectionNeeds): Collection {
  const { policy, clock, log } = needs
  const runs = openRuns(needs.records)
  const timers = new Map<'pass' | 'watch' | 'full', Disposable>()
  let isEnded = false
  let nextPassMs: number | null = null
  let lastPass: { readonly atMs: number; readonly trigger: CollectionTrigger } | null = null
  let underWay: Promise<unknown> = Promise.resolve()
  let lastFullMs = -Infinity
  let clockOffsetMs = clock.nowMs() - needs.uptimeMs()

  const pass = async (trigger: CollectionTrigger): Promise<CollectionRun> => {
    const startedAt = new Date(clock.nowMs()).toISOString()
    const view = takeView(needs, trigger === 'disk full')
    const done = await carryOut(needs, planCollection(view, policy()))
    lastPass = { atMs: clock.nowMs(), trigger }
    const run = { startedAt, trigger, isDryRun: false, ...done, ...needs.space() }
    if (run.removed.length > 0 || run.failures.length > 0 || run.freedBytes > 0) tell(needs, run)
    if (run.removed.length > 0 || run.failures.length > 0) remember(run)
    return run
  }

  /** What was done was done, also when a full disk has no room to say so. */
  const remember = (run: CollectionRun) => {
    try {
      runs.add(run)
    } catch (error) {
      log.warn('write down what was collected', { error: messageOf(error) })
    }
  }

  /** One at a time. */
  const collect = async (trigger: CollectionTrigger): Promise<CollectionRun> => {
    const mine = underWay.then(async () => await pass(trigger))
    underWay = mine.catch(() => undefined)
    return await mine
  }

  const collectQuietly = (trigger: CollectionTrigger) => {
    collect(trigger).catch((error: unknown) => log.warn('collect unused images', { trigger, error: messageOf(error) }))
  }

  const schedule = (name: 'pass' | 'watch' | 'full', ms: number, work: () => void) => {
    if (isEnded) return
    timers.get(name)?.[Symbol.dispose]()
    timers.set(name, clock.after(ms, work))
  }

  const schedulePass = (ms: number) => {
    nextPassMs = clock.nowMs() + ms
    schedule('pass', ms, () => {
      schedulePass(PASS_INTERVAL_MS)
      collectQuietly('schedule')
    })
  }

  const watchDisk = () => {
    schedule('watch', DISK_WATCH_MS, watchDisk)
    noticeSetClock()
    const space = needs.space()
    const isShort = space.availableBytes < shareBytes(policy().minFree, space)
    const wasJustThere = lastPass !== null && clock.nowMs() - lastPass.atMs < DISK_PASS_GAP_MS
    if (isShort && !wasJustThere) collectQuietly('disk')
  }

  const noticeSetClock = () => {
    const offsetMs = clock.nowMs() - needs.uptimeMs()
    if (Math.abs(offsetMs - clockOffsetMs) > CLOCK_JUMP_MS) {
      log.warn('the clock was set: the ages of images count from now', { byMs: Math.round(offsetMs - clockOffsetMs) })
      needs.use.touchAll()
    }
    clockOffsetMs = offsetMs
  }

  const rest = () => {
    for (const timer of timers.values()) timer[Symbol.dispose]()
    timers.clear()
    nextPassMs = null
  }

  const dueAt = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString())

  return {
    start: () => {
      if (!policy().isOn) return rest()
      if (nextPassMs !== null) return
      schedulePass(FIRST_PASS_MS)
      schedule('watch', DISK_WATCH_MS, watchDisk)
    },
    report: () => {
      const disk = needs.space()
      return {
        policy: policy(),
        policyText: policyText(policy()),
        disk: { availableBytes: disk.availableBytes, totalBytes: disk.totalBytes },
        minFreeBytes: shareBytes(policy().minFree, disk),
        targetFreeBytes: shareBytes(policy().targetFree, disk),
        nextPassAt: dueAt(nextPassMs),
        lastPassAt: dueAt(lastPass?.atMs ?? null),
        runs: runs.list(),
      }
    },
    preview: () => {
      const view = takeView(needs, false)
      const { removals, kept, freedBytes } = planCollection(view, policy())
      const run: CollectionRun = {
        ...{ startedAt: new Date(view.nowMs).toISOString(), trigger: 'request', isDryRun: true, failures: [] },
        ...{ removed: removals.map(itemOf), freedBytes, ...view.disk },
      }
      return { run, kept }
    },
    collect,
    noteDiskFull: () => {
      if (!policy().isOn || timers.has('full')) return
      schedule('full', Math.max(0, lastFullMs + DISK_FULL_GAP_MS - clock.nowMs()), () => {
        timers.delete('full')
        lastFullMs = clock.nowMs()
        collectQuietly('disk full')
      })
    },
    [Symbol.asyncDispose]: async () => {
      isEnded = true
      for (const timer of timers.values()) timer[Symbol.dispose]()
      await underWay
    },
  }
}

/** In the log, and to whoever follows events; each image has had its own `untag` and `delete`. */
function tell({ log, events }: CollectionNeeds, run: CollectionRun): void {
  for (const { kind, id, names, bytes, why } of run.removed)
    log.info(kind === 'image' ? 'removed an image' : 'removed a build result', { id, names: names.join(', '), bytes, why })
  for (const failure of run.failures) log.warn('collect unused images', { trigger: run.trigger, error: failure })
  log.info('collected unused images', {
    trigger: run.trigger,
    removed: run.removed.length,
    freed: formatBytes(run.freedBytes),
    free: formatBytes(run.availableBytes),
  })
  events.publish({
    type: 'image',
    action: 'prune',
    actorId: '',
    attributes: { reclaimed: String(run.freedBytes), trigger: run.trigger },
  })
}
