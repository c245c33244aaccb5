import { messageFor, startStream, write } from '#api/http'

import type { Call } from './call.ts'

/**
 * Sends one JSON text a line, no faster than the client reads. The head goes with the first line, so that what fails before it still gets its
 * status; what fails later is told in a last line, as clients of builds and pulls expect it.
 */
export async function sendJsonLines(call: Call, lines: AsyncIterable<Readonly<Record<string, unknown>>>): Promise<void> {
  const { response, signal } = call
  try {
    for await (const line of lines) {
      if (!response.headersSent) startStream(response, 'application/json')
      if (!(await write(response, `${JSON.stringify(line)}\r\n`, signal))) return
    }
    if (!response.headersSent) startStream(response, 'application/json')
  } catch (error) {
    if (!response.headersSent) throw error
    const message = messageFor(error)
    response.write(`${JSON.stringify({ errorDetail: { message }, error: message })}\r\n`)
  }
  response.end()
}
