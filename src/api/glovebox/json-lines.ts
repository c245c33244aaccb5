import { apiError } from './errors.ts'

/** JSON values that a client sends, one a line. Error: `api.bad_request`. */
export async function* linesOf(source: AsyncIterable<Buffer>, maxLineBytes: number): AsyncGenerator<unknown> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of source) {
    let bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a)) {
      yield parseLine(bytes.toString('utf8', 0, end))
      bytes = bytes.subarray(end + 1)
    }
    if (bytes.length > maxLineBytes) throw apiError('api.bad_request', `a line has more than ${maxLineBytes} bytes`)
    rest = bytes
  }
  if (rest.length > 0) yield parseLine(rest.toString('utf8'))
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line) as unknown
  } catch (error) {
    throw apiError('api.bad_request', `a line is not JSON: ${JSON.stringify(line.slice(0, 80))}`, { cause: error })
  }
}
