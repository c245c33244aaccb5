import { fail, type Random } from '#base'
import { buildError } from '#engine/builder'

/** Files of builds that wait for the client to take them. */
export interface Deliveries {
  /** Tells the token, and waits until the stream was read to its end. Ends when the signal aborts: the client is gone. */
  offer(stream: AsyncIterable<Buffer>, signal: AbortSignal, tell: (token: string) => void): Promise<void>
  /** Good once. Error: `build.session_unknown`. */
  take(token: string, signal: AbortSignal): AsyncIterable<Buffer>
}

interface Offer {
  readonly stream: AsyncIterable<Buffer>
  readonly settle: (error?: unknown) => void
}

/** As many as there are builds that wait. */
export function openDeliveries(random: Random): Deliveries {
  const offers = new Map<string, Offer>()
  return {
    offer: async (stream, signal, tell) => {
      const token = random.bytes(16).toString('hex')
      const done = Promise.withResolvers<void>()
      const settle = (error?: unknown) => (error === undefined ? done.resolve() : done.reject(error))
      const leave = () => settle(fail('operation.cancelled', 'the build was cancelled'))
      offers.set(token, { stream, settle })
      signal.addEventListener('abort', leave, { once: true })
      try {
        if (signal.aborted) leave()
        else tell(token)
        await done.promise
      } finally {
        offers.delete(token)
        signal.removeEventListener('abort', leave)
      }
    },
    take: (token, signal) => {
      const offer = offers.get(token)
      offers.delete(token)
      if (offer !== undefined) return given(offer, signal)
      throw buildError('build.session_unknown', 'there is no such output of a build', {
        hint: 'An output is there once, and as long as its build waits.',
      })
    },
  }
}

async function* given({ stream, settle }: Offer, signal: AbortSignal): AsyncGenerator<Buffer> {
  let isWhole = false
  try {
    for await (const chunk of stream) {
      if (signal.aborted) break
      yield chunk
    }
    isWhole = !signal.aborted
    if (isWhole) settle()
  } catch (error) {
    settle(error)
    throw error
  } finally {
    if (!isWhole) settle(fail('operation.cancelled', 'the output of the build was not read to its end'))
  }
}
