import { StringDecoder } from 'node:string_decoder'

import type { Client } from '#client'
import { frameReader } from '#client'

import { cleanLine } from '../build/clean-line.ts'
import type { Colour, Paint } from '../output/colour.ts'
import { pad } from '../output/table.ts'
import type { Sink } from '../output/terminal.ts'

export interface LogStreams {
  /** Follows a container that runs, from a moment on (in seconds, as text); one that is followed already stays as it is. */
  follow(container: string, label: string, since: string): void
}

export interface LogOptions {
  readonly client: Client
  readonly sink: Sink
  readonly paint: Paint
  readonly signal: AbortSignal
  /** Of all labels, so that lines stand below each other. */
  readonly labelWidth: number
}

const COLOURS: readonly Colour[] = ['cyan', 'yellow', 'green', 'blue', 'red']
/** A program that never ends its line does not fill the memory. */
const MAX_LINE_CHARS = 64 * 1024

/** Output of several containers as one stream of lines, each behind the name of its container. */
export function logStreams({ client, sink, paint, signal, labelWidth }: LogOptions): LogStreams {
  const followed = new Set<string>()
  const colours = new Map<string, Colour>()
  const write = (label: string, text: string) => {
    const colour = colours.get(label) ?? COLOURS[colours.size % COLOURS.length] ?? 'cyan'
    colours.set(label, colour)
    sink.write(`${paint(colour, `${pad(label, labelWidth, 'left')} |`)} ${text}\n`)
  }
  const copy = async (container: string, label: string, since: string) => {
    const { Config } = await client.containers.inspect(container)
    const lines = { stdout: lineReader((line) => write(label, line)), stderr: lineReader((line) => write(label, line)) }
    const source = await client.containers.logs(container, { stdout: true, stderr: true, follow: true, since }, signal)
    const frames = frameReader(({ stream, bytes }) => lines[stream === 'stderr' ? 'stderr' : 'stdout'].push(bytes))
    for await (const chunk of source as AsyncIterable<Buffer>) {
      if (Config.Tty) lines.stdout.push(chunk)
      else frames.push(chunk)
    }
    lines.stdout.end()
    lines.stderr.end()
  }
  return {
    follow: (container, label, since) => {
      if (followed.has(container)) return
      followed.add(container)
      // A container that goes while its log is read is no trouble: the next start is followed again.
      void copy(container, label, since)
        .catch(() => undefined)
        .finally(() => followed.delete(container))
    },
  }
}

function lineReader(onLine: (line: string) => void) {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  const push = (bytes: Buffer) => {
    const parts = (rest + decoder.write(bytes)).split('\n')
    rest = parts.pop() ?? ''
    for (const part of parts) onLine(cleanLine(part))
    if (rest.length <= MAX_LINE_CHARS) return
    onLine(cleanLine(rest))
    rest = ''
  }
  return { push, end: () => rest !== '' && onLine(cleanLine(rest)) }
}
