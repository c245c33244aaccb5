import { registryError } from './errors.ts'
import { MAX_RESUMES, MAX_TRIES } from './limits.ts'
import { isPassing, pause, type RetryNeeds } from './retry.ts'
import type { WireAnswer } from './wire.ts'

/**
 * A blob's bytes as one stream, however often the connection breaks: what is missing is asked for by range, and skipped through where a
 * server does not know ranges. Whether the bytes are right is for the reader to check, over the whole. Never gives more than the size promised
 * plus what was under way.
 */
export async function* blobSource(
  needs: RetryNeeds & { readonly signal: AbortSignal },
  blob: { readonly sizeBytes: number; readonly what: string },
  request: (startByte: number) => Promise<WireAnswer>,
): AsyncGenerator<Buffer> {
  let givenBytes = 0
  let failures = 0
  for (let tries = 1; ; tries += 1) {
    const before = givenBytes
    try {
      const answer = await request(givenBytes)
      let skipBytes = startOf(answer, givenBytes, blob.what)
      try {
        for await (const chunk of answer.body()) {
          const skipped = Math.min(skipBytes, chunk.length)
          skipBytes -= skipped
          if (skipped === chunk.length) continue
          givenBytes += chunk.length - skipped
          yield skipped === 0 ? chunk : chunk.subarray(skipped)
        }
      } finally {
        answer.discard()
      }
      // More than promised is the reader's to refuse.
      if (givenBytes >= blob.sizeBytes) return
      throw registryError('registry.connection_lost', `${blob.what}: it ended after ${givenBytes} of ${blob.sizeBytes} bytes`)
    } catch (error) {
      failures = givenBytes > before ? 1 : failures + 1
      if (!isPassing(error) || failures >= MAX_TRIES || tries >= MAX_RESUMES || needs.signal.aborted) throw error
      await pause(needs, failures, error, needs.signal)
    }
  }
}

/** How many bytes of the answer were given before. Error: `registry.answer_invalid`. */
function startOf(answer: WireAnswer, wantedByte: number, what: string): number {
  if (answer.status !== 206) return wantedByte
  const range = answer.header('content-range')
  const start = Number(/^bytes (\d+)-/.exec(range)?.[1] ?? Number.NaN)
  if (start <= wantedByte) return wantedByte - start
  answer.discard()
  throw registryError(
    'registry.answer_invalid',
    `${what}: asked for byte ${wantedByte} on, and got ${JSON.stringify(range.slice(0, 100))}`,
  )
}
