import { startStream, write } from '#api/http'
import type { LogEntry } from '#engine/containers'
import { attributesText } from '#engine/logs'

import type { Call, RouteContext } from '../call.ts'
import { dockerError } from '../errors.ts'
import { streamType } from '../hijack.ts'
import { framed } from '../stream-frame.ts'
import { readTimestampNs } from '../timestamps.ts'
import { idOf } from './ids.ts'

/** GET /containers/{id}/logs. Raw for a terminal, in frames otherwise, as attach gives it. */
export async function streamLogs(call: Call, { engine, clock }: RouteContext): Promise<void> {
  const { query, response, signal, minor } = call
  const stdout = query.bool('stdout')
  const stderr = query.bool('stderr')
  if (!stdout && !stderr) throw dockerError('docker.parameter_missing', 'Bad parameters: you must choose at least one stream')
  const record = engine.containers.get(idOf(call))
  const nowNs = clock.nowNs()
  const entries = engine.containers.logs(record.id, {
    stdout,
    stderr,
    follow: query.bool('follow'),
    sinceNs: readTimestampNs(query.text('since'), 'since', nowNs),
    untilNs: readTimestampNs(query.text('until'), 'until', nowNs),
    tail: tailOf(query.text('tail')),
    signal,
  })
  const isRaw = record.spec.process.hasTty
  const prefix = { timestamps: query.bool('timestamps'), details: query.bool('details') }
  const iterator = entries[Symbol.asyncIterator]()
  // The first read tells whether there is a log at all; with `follow` it may take for ever, and the client waits for the head.
  if (query.bool('follow')) startStream(response, streamType(minor, isRaw))
  try {
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
      if (!response.headersSent) startStream(response, streamType(minor, isRaw))
      const line = prefixed(next.value, prefix)
      if (!(await write(response, isRaw ? line : framed(next.value.stream, line), signal))) return
    }
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    await iterator.return?.()
  }
  if (!response.headersSent) startStream(response, streamType(minor, isRaw))
  response.end()
}

/** `all`, nothing and negative numbers: all of it. */
export function tailOf(text: string): number | null {
  if (text === '' || text === 'all') return null
  const lines = Number(text)
  if (!Number.isSafeInteger(lines))
    throw dockerError('docker.field_invalid', `tail: ${JSON.stringify(text)} is neither a number of lines nor "all"`)
  return lines < 0 ? null : lines
}

/** Attributes stand before the line; without any a space remains of them. */
function prefixed(entry: LogEntry, { timestamps, details }: { readonly timestamps: boolean; readonly details: boolean }): Buffer {
  const prefix = `${timestamps ? `${entry.time} ` : ''}${details ? `${attributesText(entry.attributes ?? {})} ` : ''}`
  return prefix === '' ? entry.line : Buffer.concat([Buffer.from(prefix), entry.line])
}
