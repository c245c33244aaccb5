import type { Context } from './context.ts'
import type { LiveContainer } from './live.ts'

/** A restart that is due is called off: somebody decided otherwise. */
export function cancelRestart(context: Context, live: LiveContainer): void {
  live.restart?.[Symbol.dispose]()
  live.restart = null
  if (live.record.status.state === 'restarting') context.registry.setStatus(live, { state: 'exited', isManuallyStopped: true })
}
