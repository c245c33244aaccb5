import type { Readable } from 'node:stream'

import { frameReader } from '#client'

import type { Sink, Terminal } from '../output/terminal.ts'

/** Copies a container's output to ours, streams apart unless it has a terminal. Resolves at its end; slow readers slow it down. */
export async function copyOutput(source: Readable, isRaw: boolean, terminal: Terminal, head?: Buffer): Promise<void> {
  const waiting: Promise<unknown>[] = []
  const put = (sink: Sink, bytes: Uint8Array) => {
    if (sink.write(bytes)) return
    const drained = sink.drained?.()
    if (drained !== undefined) waiting.push(drained)
  }
  const reader = frameReader(({ stream, bytes }) => put(stream === 'stderr' ? terminal.stderr : terminal.stdout, bytes))
  const take = async (chunk: Buffer) => {
    if (isRaw) put(terminal.stdout, chunk)
    else reader.push(chunk)
    await Promise.all(waiting.splice(0))
  }
  if (head !== undefined && head.length > 0) await take(head)
  for await (const chunk of source as AsyncIterable<Buffer>) await take(chunk)
  if (!isRaw) reader.end()
}
