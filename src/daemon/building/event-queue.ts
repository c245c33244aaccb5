import type { BuildReport } from '#api/glovebox'

/** A client that reads nothing must not make the daemon remember all output. */
const MAX_QUEUED_CHARACTERS = 16 * 1024 * 1024

/** Reports from a build that does not wait to a client that reads at its own pace. */
export interface EventQueue extends AsyncIterable<BuildReport> {
  push(report: BuildReport): void
  /** No more will come. */
  close(): void
}

export function eventQueue(): EventQueue {
  let queued: BuildReport[] = []
  let characters = 0
  let leftOut = 0
  let isClosed = false
  let wake = Promise.withResolvers<void>()
  const take = (): readonly BuildReport[] => {
    const batch = queued
    const last = batch.findLast((report) => report.kind === 'output')
    if (leftOut > 0 && last?.kind === 'output') batch.push({ ...last, text: `[${leftOut} characters of output left out]\n` })
    queued = []
    characters = 0
    leftOut = 0
    return batch
  }
  return {
    push: (report) => {
      const length = report.kind === 'output' ? report.text.length : 0
      if (length > 0 && characters + length > MAX_QUEUED_CHARACTERS) leftOut += length
      else queued.push(report)
      characters += length
      wake.resolve()
    },
    close: () => {
      isClosed = true
      wake.resolve()
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        yield* take()
        if (queued.length > 0) continue
        if (isClosed) return
        await wake.promise
        wake = Promise.withResolvers<void>()
      }
    },
  }
}
