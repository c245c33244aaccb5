import { createConnection } from 'node:net'

import type { Clock } from '#base'

import { ACCESS_RING } from './log-format.ts'

/** Lines for the access log as they come. Nothing is lost for the proxy while nobody reads: it keeps the latest. */
export interface AccessReader extends Disposable {
  /** There is another worker: its lines are elsewhere. */
  follow(workerPid: number): void
}

/** A connection that broke is made again after so long. */
const AGAIN_MS = 1000
/** An old worker may still have requests under way, whose lines are in its own ring. */
const FAREWELL_MS = 3000
/** The longest line of HAProxy is 4096 bytes; more without an end is none. */
const MAX_LINE_BYTES = 64 * 1024

export function openAccessReader(socketPath: string, clock: Clock, take: (lines: readonly string[]) => void): AccessReader {
  const open = new Set<Disposable>()
  let followed = 0
  let retry: Disposable | undefined
  let isClosed = false

  const listen = (pid: number, isAgain: boolean) => {
    const socket = createConnection({ path: socketPath })
    let rest = ''
    const connection: Disposable = { [Symbol.dispose]: () => void socket.destroy() }
    open.add(connection)
    socket.setEncoding('utf8')
    // What this worker told before is told again with each connection, unless only new lines are asked for.
    socket.on('connect', () => socket.write(`show events ${ACCESS_RING} ${isAgain ? '-nw' : '-w'}\n`))
    socket.on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      if (rest.length > MAX_LINE_BYTES) rest = ''
      take(lines)
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      open.delete(connection)
      if (isClosed || followed !== pid) return
      retry = clock.after(AGAIN_MS, () => {
        if (!isClosed && followed === pid) listen(pid, true)
      })
    })
    socket.unref()
    return connection
  }

  return {
    follow: (pid) => {
      if (pid === followed || isClosed) return
      const old = [...open]
      followed = pid
      clock.after(FAREWELL_MS, () => {
        for (const connection of old) connection[Symbol.dispose]()
      })
      listen(pid, false)
    },
    [Symbol.dispose]: () => {
      isClosed = true
      retry?.[Symbol.dispose]()
      for (const connection of open) connection[Symbol.dispose]()
    },
  }
}
