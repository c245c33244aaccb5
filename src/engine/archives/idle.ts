import type { Clock } from '#base'
import type { HeldFiles } from '#engine/containers'

import { archiveError } from './errors.ts'
import { IDLE_CLIENT_MS } from './limits.ts'

export interface IdleGuard extends Disposable {
  /** The client has done something. */
  touch(): void
}

/** Ends the work on a container that cannot start meanwhile when its client does nothing for too long. */
export function idleGuard(clock: Clock, files: HeldFiles, end: (error: Error) => void): IdleGuard {
  if (files.state === 'running') return { touch: () => undefined, [Symbol.dispose]: () => undefined }
  let touchedMs = clock.monotonicMs()
  let timer: Disposable
  const wait = (ms: number) => {
    timer = clock.after(ms, () => {
      const leftMs = touchedMs + IDLE_CLIENT_MS - clock.monotonicMs()
      if (leftMs > 0) return wait(leftMs)
      end(archiveError('archive.stalled', `nobody read or sent anything for ${IDLE_CLIENT_MS / 1000} s`))
    })
  }
  wait(IDLE_CLIENT_MS)
  return { touch: () => void (touchedMs = clock.monotonicMs()), [Symbol.dispose]: () => timer[Symbol.dispose]() }
}
