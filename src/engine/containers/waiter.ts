import type { ExitWaiter, LiveContainer } from './live.ts'

type Ended = Parameters<ExitWaiter['resolve']>[0]

/** Resolves when the condition comes true; to null when whoever waited has gone, so that nothing of a waiter is left behind. */
export async function waiter(
  live: LiveContainer,
  condition: ExitWaiter['condition'],
  signal: AbortSignal | undefined,
): Promise<Ended | null> {
  const { status } = live.record
  const isOver = live.process === null && status.state !== 'restarting'
  if (condition === 'not-running' && isOver) return { exitCode: status.exitCode, error: status.error }
  if (signal?.aborted === true) return null
  const { promise, resolve } = Promise.withResolvers<Ended | null>()
  const waiting: ExitWaiter = { condition, resolve }
  const leave = () => {
    live.waiters.delete(waiting)
    resolve(null)
  }
  live.waiters.add(waiting)
  signal?.addEventListener('abort', leave, { once: true })
  return await promise.finally(() => signal?.removeEventListener('abort', leave))
}
