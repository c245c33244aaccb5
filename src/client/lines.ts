import { StringDecoder } from 'node:string_decoder'

import { clientError } from './errors.ts'

/** One JSON value of a stream: an inspect answer at its largest is far below. */
const MAX_LINE_CHARS = 16 * 1024 * 1024

/** Reads JSON values, one a line, however the bytes are cut. Errors: `client.bad_answer`. */
export async function* jsonLines<T>(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<T> {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  for await (const chunk of chunks) {
    rest += decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
    let start = 0
    for (let end = rest.indexOf('\n', start); end !== -1; end = rest.indexOf('\n', start)) {
      const line = rest.slice(start, end)
      start = end + 1
      if (line.trim() !== '') yield parseLine<T>(line)
    }
    rest = rest.slice(start)
    if (rest.length > MAX_LINE_CHARS)
      throw clientError('client.bad_answer', `the daemon sent a line of more than ${MAX_LINE_CHARS} characters`)
  }
  rest += decoder.end()
  if (rest.trim() !== '') yield parseLine<T>(rest)
}

function parseLine<T>(line: string): T {
  try {
    return JSON.parse(line) as T
  } catch (error) {
    throw clientError('client.bad_answer', `the daemon sent a line that is not JSON: ${line.slice(0, 80)}`, { cause: error })
  }
}
