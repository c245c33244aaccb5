/** One line of a container's log. */
export interface LogLine {
  readonly number: number
  /** As Docker writes it; empty where it is not known. */
  readonly time: string
  readonly stream: 'stdout' | 'stderr'
  readonly text: string
  readonly source?: string
}

const HEADER_BYTES = 8
const STDERR = 2
/** Colours and movements of a terminal: CSI and OSC sequences (ECMA-48, section 5.4). */
// oxlint-disable-next-line no-control-regex -- they are what it looks for
const SEQUENCES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\-_])/g
/** Longer lines make a page that nobody can scroll. */
const MAX_CHARS = 4000

/** Takes lines with their times out of Docker's frames (8-byte headers), or out of the bytes of a terminal, however they are cut. */
export function logReader(hasTty: boolean): (chunk: Uint8Array) => readonly LogLine[] {
  let rest = new Uint8Array()
  let number = 0
  const streams = { stdout: lineReader(), stderr: lineReader() }
  const linesOf = (stream: 'stdout' | 'stderr', bytes: Uint8Array) =>
    streams[stream](bytes).map((line): LogLine => {
      number += 1
      return { number, stream, ...timed(line) }
    })
  return (chunk) => {
    if (hasTty) return linesOf('stdout', chunk)
    const bytes = joined(rest, chunk)
    const lines: LogLine[] = []
    let at = 0
    while (bytes.length - at >= HEADER_BYTES) {
      const length = new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(4)
      if (bytes.length - at < HEADER_BYTES + length) break
      const payload = bytes.subarray(at + HEADER_BYTES, at + HEADER_BYTES + length)
      lines.push(...linesOf(bytes[at] === STDERR ? 'stderr' : 'stdout', payload))
      at += HEADER_BYTES + length
    }
    rest = bytes.slice(at)
    return lines
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
}

function lineReader(): (bytes: Uint8Array) => readonly string[] {
  const decoder = new TextDecoder()
  let rest = ''
  return (bytes) => {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    return lines
  }
}

function timed(line: string): { readonly time: string; readonly text: string } {
  const at = line.indexOf(' ')
  const time = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(line.slice(0, at)) ? line.slice(0, at) : ''
  const text = (time === '' ? line : line.slice(at + 1)).replaceAll(SEQUENCES, '').replace(/\r$/, '')
  return { time, text: text.length > MAX_CHARS ? `${text.slice(0, MAX_CHARS)}…` : text }
}
