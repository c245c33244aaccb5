import { createConnection } from 'node:net'

import type { Clock } from '#base'

import { routeError } from './errors.ts'

/** A worker that is alive answers within milliseconds, also under load; where thirty others want the processor it may be seconds. */
const ANSWER_TIMEOUT_MS = 5000
/** The largest answer is a line of some 200 bytes for each server. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024
/** HAProxy's own buffer for one line of commands is 16 KiB. */
const MAX_LINE_BYTES = 8192

export interface RuntimeSocket {
  /** One command, its answer. Errors: `route.haproxy_failed`, `route.haproxy_silent`. */
  ask(command: string): Promise<string>
  /** In their order, as few connections as possible. Gives back all that HAProxy said. */
  run(commands: readonly string[]): Promise<string>
}

/** `through`: words before each command, by which the master passes it on to one of its workers. */
export function runtimeSocket(path: string, clock: Clock, through = ''): RuntimeSocket {
  const ask = async (line: string): Promise<string> => {
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    const socket = createConnection({ path })
    const refuse = (what: string, cause?: unknown) =>
      reject(routeError('route.haproxy_failed', `the runtime socket of HAProxy ${what}`, { cause }))
    using _timeout = clock.after(ANSWER_TIMEOUT_MS, () =>
      reject(
        routeError('route.haproxy_silent', `the runtime socket of HAProxy did not answer within ${ANSWER_TIMEOUT_MS} ms`, {
          hint: 'It is asked again. Is the machine short of processors?',
        }),
      ),
    )
    let answer = ''
    socket.setEncoding('utf8')
    socket.on('connect', () => socket.end(`${through}${line}\n`))
    socket.on('data', (text: string) => {
      answer += text
      if (answer.length > MAX_ANSWER_BYTES) refuse(`said more than ${MAX_ANSWER_BYTES} bytes`)
    })
    socket.on('error', (error) => refuse(`does not answer: ${error.message}`, error))
    socket.on('end', () => resolve(answer))
    socket.on('close', () => resolve(answer))
    try {
      return await promise
    } finally {
      socket.destroy()
    }
  }
  return {
    ask,
    run: async (commands) => {
      let said = ''
      for (const line of joinLines(commands)) said += await ask(line)
      return said.replaceAll(/\n+/g, '\n').trim()
    },
  }
}

function joinLines(commands: readonly string[]): readonly string[] {
  const lines: string[] = []
  for (const command of commands) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + command.length < MAX_LINE_BYTES) lines[lines.length - 1] = `${last};${command}`
    else lines.push(command)
  }
  return lines
}
