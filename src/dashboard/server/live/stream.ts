import type { ServerResponse } from 'node:http'

import type { Clock } from '#base'

import type { LiveHub } from './hub.ts'

/** A reader with this much unread is not reading: it is dropped, and gets a snapshot when it comes again. */
const MAX_BACKLOG_BYTES = 8 * 1024 * 1024
/** Tells both sides, and proxies between them, that the other is there. */
const HEARTBEAT_MS = 15_000

/**
 * `GET /live` as server-sent events (HTML, section 9.2): each message one event. Ends when the client goes, is too slow, or may no longer look.
 */
export function streamLive(
  response: ServerResponse,
  of: {
    readonly hub: LiveHub
    readonly clock: Clock
    readonly isAllowed: () => boolean
    readonly onEnd: (then: () => void) => Disposable
  },
): void {
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' })
  response.flushHeaders()
  let heartbeat: Disposable | undefined
  const beat = () => {
    heartbeat = of.clock.after(HEARTBEAT_MS, () => {
      if (!of.isAllowed()) return void response.end()
      response.write(':\n\n')
      beat()
    })
  }
  beat()
  const joined = of.hub.join({
    tell: (text) => {
      if (response.destroyed) return false
      if (response.writableLength > MAX_BACKLOG_BYTES) {
        response.destroy()
        return false
      }
      response.write(`data: ${text}\n\n`)
      return true
    },
  })
  const ended = of.onEnd(() => response.end())
  response.once('close', () => {
    heartbeat?.[Symbol.dispose]()
    joined[Symbol.dispose]()
    ended[Symbol.dispose]()
  })
}
