import type { Readable } from 'node:stream'
import { finished } from 'node:stream'

import { CHUNK_BYTES } from './limits.ts'

/**
 * The chunks of a stream one by one, as they came. Its own iterator joins what was not fetched in time: that copies every byte once more,
 * and leaves the pieces to the garbage collector. Ends and fails as the stream does. Whoever stops before leaves the stream running without
 * a reader: a client that is still sending can hear why nobody listens.
 */
export function chunksOf(stream: Readable): AsyncIterable<Buffer> {
  return { [Symbol.asyncIterator]: () => iterate(stream) }
}

async function* iterate(stream: Readable): AsyncGenerator<Buffer, void, undefined> {
  const waiting: Buffer[] = []
  let waitingBytes = 0
  let wake = Promise.withResolvers<void>()
  let end: { readonly error: Error | null | undefined } | undefined
  const take = (chunk: Buffer) => {
    waiting.push(chunk)
    waitingBytes += chunk.length
    if (waitingBytes >= CHUNK_BYTES) stream.pause()
    wake.resolve()
  }
  const stopWatching = finished(stream, { writable: false }, (error) => {
    end = { error }
    wake.resolve()
  })
  stream.on('data', take)
  try {
    for (;;) {
      const chunk = waiting.shift()
      if (chunk !== undefined) {
        waitingBytes -= chunk.length
        yield chunk
        continue
      }
      if (end !== undefined) break
      wake = Promise.withResolvers()
      stream.resume()
      await wake.promise
    }
    if (end.error !== null && end.error !== undefined) throw end.error
  } finally {
    stopWatching()
    stream.off('data', take)
    stream.resume()
  }
}
