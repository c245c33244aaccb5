import { backoffMs, fail, messageOf, type BackoffPolicy, type Clock, type Log } from '#base'
import type { RawCredentials, Registries } from '#engine/registry'

/** Images that services need and that are not here: each is pulled once for all who want it, and again after a while when that failed. */
export interface ImagePulls {
  /** Begins at once, whatever failed before. Credentials stay in memory for later tries. */
  begin(ref: string, credentials: RawCredentials | null): void
  /** Begins unless it is under way, or failed a moment ago. */
  want(ref: string): void
  /** As `want`; resolves when it is here. Errors: those of the pull, also of the one a moment ago. The signal ends the wait, and not the pull. */
  need(ref: string, signal?: AbortSignal): Promise<void>
  /** Why the last try failed; undefined: none did, or another is under way. */
  failure(ref: string): string | undefined
  /** Called when one ended, well or not. */
  listen(ended: () => void): Disposable
}

/** As often as swarm mode makes another task; then less and less. */
const BACKOFF: BackoffPolicy = { firstMs: 5000, maxMs: 300_000 }
/** Of different images: who asks for more without getting one asks for nonsense, and the oldest are forgotten. */
const MAX_REMEMBERED = 1000

interface Pull {
  readonly credentials: RawCredentials | null
  readonly running: Promise<void> | undefined
  readonly failures: number
  readonly error: unknown
  readonly nextAtMs: number
}

export function imagePulls(registries: Pick<Registries, 'pull'>, clock: Clock, log: Log): ImagePulls {
  const pulls = new Map<string, Pull>()
  const listeners = new Set<() => void>()
  const put = (ref: string, pull: Pull) => {
    pulls.delete(ref)
    pulls.set(ref, pull)
    for (const [old, { running }] of pulls) {
      if (pulls.size <= MAX_REMEMBERED) break
      if (running === undefined) pulls.delete(old)
    }
  }
  const fetch = async (ref: string, credentials: RawCredentials | null): Promise<void> => {
    const { signal } = new AbortController()
    for await (const _step of registries.pull({ ref, platform: null, credentials, signal }));
  }
  const start = (ref: string, credentials: RawCredentials | null): Promise<void> => {
    const failures = pulls.get(ref)?.failures ?? 0
    const running = fetch(ref, credentials).then(
      () => void pulls.delete(ref),
      (error: unknown) => {
        log.warn('the image of a service was not pulled', { image: ref, error: messageOf(error) })
        const nextAtMs = clock.monotonicMs() + backoffMs(BACKOFF, failures + 1)
        put(ref, { credentials, running: undefined, failures: failures + 1, error, nextAtMs })
        throw error
      },
    )
    const told = () => {
      for (const listener of listeners) listener()
    }
    running.then(told, told)
    put(ref, { credentials, running, failures, error: undefined, nextAtMs: 0 })
    return running
  }
  const need = async (ref: string, signal?: AbortSignal): Promise<void> => {
    const known = pulls.get(ref)
    if (known !== undefined && known.running === undefined && known.nextAtMs > clock.monotonicMs()) throw known.error
    await untilAborted(known?.running ?? start(ref, known?.credentials ?? null), signal)
  }
  return {
    need,
    want: (ref) => void need(ref).catch(() => undefined),
    begin: (ref, credentials) => {
      if (pulls.get(ref)?.running !== undefined) return
      start(ref, credentials).catch(() => undefined)
    },
    failure: (ref) => {
      const known = pulls.get(ref)
      return known === undefined || known.running !== undefined ? undefined : messageOf(known.error)
    },
    listen: (ended) => {
      listeners.add(ended)
      return { [Symbol.dispose]: () => void listeners.delete(ended) }
    },
  }
}

async function untilAborted(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return await work
  const { promise, reject } = Promise.withResolvers<never>()
  const end = () => reject(fail('operation.cancelled', 'nobody waits for the image any more'))
  if (signal.aborted) end()
  signal.addEventListener('abort', end, { once: true })
  try {
    await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', end)
  }
}
