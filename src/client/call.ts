import { messageOf } from '#base'

import { clientError } from './errors.ts'
import { jsonLines } from './lines.ts'
import { type Call, readText, type Transport } from './transport.ts'

/** The largest answer that is read as a whole: a list of every image and container of a big host is far below. */
const MAX_ANSWER_BYTES = 256 * 1024 * 1024

/** Sends and reads one JSON value. */
export async function json<T>(transport: Transport, call: Call): Promise<T> {
  const text = await readText(await transport.send(call), MAX_ANSWER_BYTES)
  try {
    return JSON.parse(text) as T
  } catch (error) {
    throw clientError('client.bad_answer', `${call.method} ${call.path}: the answer is not JSON: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

/** Sends, and throws away what comes back. Gives the status: 304 tells `already so` for start and stop. */
export async function done(transport: Transport, call: Call): Promise<number> {
  const response = await transport.send(call)
  for await (const _chunk of response);
  return response.statusCode ?? 0
}

/** Sends, and reads JSON values one a line. */
export async function* lines<T>(transport: Transport, call: Call): AsyncGenerator<T> {
  const response = await transport.send(call)
  try {
    yield* jsonLines<T>(response)
  } catch (error) {
    if (call.signal?.aborted === true) return
    throw error
  } finally {
    response.destroy()
  }
}

export const segment = encodeURIComponent
