import type { ClassicMessage } from './classic-stream.ts'

/** A client that reads nothing must not make the daemon remember all output; what matters of it comes again in the error. */
const MAX_QUEUED_CHARACTERS = 16 * 1024 * 1024

/** Messages from a build that does not wait to a client that reads at its own pace. */
export interface MessageQueue {
  push(messages: readonly ClassicMessage[]): void
  /** No more will come. */
  close(): void
  [Symbol.asyncIterator](): AsyncGenerator<ClassicMessage, void, undefined>
}

export function messageQueue(): MessageQueue {
  let queued: ClassicMessage[] = []
  let characters = 0
  let leftOut = 0
  let isClosed = false
  let wake = Promise.withResolvers<void>()
  const push = (messages: readonly ClassicMessage[]): void => {
    for (const message of messages) {
      const length = 'stream' in message ? message.stream.length : 0
      if (length > 0 && characters + length > MAX_QUEUED_CHARACTERS) {
        leftOut += length
        continue
      }
      queued.push(message)
      characters += length
    }
    wake.resolve()
  }
  return {
    push,
    close: () => {
      isClosed = true
      wake.resolve()
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const batch = queued
        if (leftOut > 0) batch.push({ stream: `[${leftOut} characters of output left out]\n` })
        queued = []
        characters = 0
        leftOut = 0
        yield* batch
        if (queued.length > 0) continue
        if (isClosed) return
        await wake.promise
        wake = Promise.withResolvers<void>()
      }
    },
  }
}
