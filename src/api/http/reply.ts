import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

import { isKind } from '#base'

const JSON_TYPE = 'application/json'

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  sendBytes(response, status, JSON_TYPE, `${JSON.stringify(value)}\n`)
}

export function sendBytes(response: ServerResponse, status: number, contentType: string, body: string | Buffer): void {
  response.writeHead(status, { 'Content-Type': contentType, 'Content-Length': Buffer.byteLength(body) })
  response.end(response.req.method === 'HEAD' ? undefined : body)
}

export function sendEmpty(response: ServerResponse, status: number): void {
  if (status !== 204 && status !== 304) response.setHeader('Content-Length', 0)
  response.writeHead(status)
  response.end()
}

/** Sends the head at once, so that the client knows its request is in place before the first byte of the answer exists. */
export function startStream(response: ServerResponse, contentType: string): void {
  response.writeHead(200, { 'Content-Type': contentType })
  response.flushHeaders()
}

/** Bytes as they come, no faster than the client takes them. A failure in the middle cuts the connection: the status is long gone. */
export async function sendStream(response: ServerResponse, contentType: string, source: Readable): Promise<void> {
  startStream(response, contentType)
  await pipeline(source, response)
}

/** Writes when the client has room; false once it is gone. */
export async function write(response: ServerResponse, chunk: string | Buffer, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted || response.destroyed) return false
  if (response.write(chunk)) return true
  try {
    await once(response, 'drain', { signal })
    return true
  } catch (error) {
    if (signal.aborted || isKind(error, 'cancelled')) return false
    throw error
  }
}
