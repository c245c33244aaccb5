import type { Readable } from 'node:stream'

import { chunksOf, givingBack, type ByteSource } from '#engine/content'

/**
 * A stream that may fail before its first byte is asked for: a client that hangs up while we open a file. Without a listener
 * that would end the daemon; whoever reads gets the error then.
 */
export function bytesOf(stream: Readable): ByteSource {
  stream.on('error', () => undefined)
  return stream as AsyncIterable<Uint8Array>
}

/** The same for the body of a request, whose chunks nobody else holds. */
export function bodyOf(request: Readable): ByteSource {
  request.on('error', () => undefined)
  return givingBack(chunksOf(request))
}
