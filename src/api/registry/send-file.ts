import { open, type FileHandle } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'

import { fail, invariant, systemCodeOf } from '#base'
import { repositoryError } from '#engine/repositories'

import type { ByteRange } from './range.ts'

/** Enough for the speed of sendfile(2) on plain connections, little enough for two of them per download of many. */
const BLOCK_BYTES = 512 * 1024

/**
 * Sends part of a file and ends the answer: one block is read while the one before is on its way, and both are used again. A stream of Node's
 * would take new memory for each block, which costs more than the copy itself. Error: `operation.cancelled` when the client went away.
 */
export async function sendFile(file: FileHandle, { startByte, endByte }: ByteRange, response: ServerResponse): Promise<void> {
  const blockBytes = Math.min(BLOCK_BYTES, endByte - startByte)
  const blocks = [Buffer.allocUnsafeSlow(blockBytes), Buffer.allocUnsafeSlow(blockBytes)] as const
  const gone = Promise.withResolvers<never>()
  gone.promise.catch(() => undefined)
  const leave = () => gone.reject(clientGone(undefined))
  response.once('close', leave)
  try {
    let sending: Promise<unknown> = Promise.resolve()
    for (let at = startByte, turn = 0; at < endByte; turn ^= 1) {
      const block = blocks[turn === 0 ? 0 : 1]
      const { bytesRead } = await file.read(block, 0, Math.min(blockBytes, endByte - at), at)
      invariant(bytesRead > 0, `a blob that has ${endByte} bytes does not end at ${at}`)
      at += bytesRead
      await sending
      sending = Promise.race([gone.promise, written(response, block.subarray(0, bytesRead))])
      // Whoever awaits it gets the error; until then it must not count as nobody's.
      sending.catch(() => undefined)
    }
    await sending
    response.end()
  } finally {
    response.off('close', leave)
  }
}

function clientGone(cause: unknown) {
  return fail('operation.cancelled', 'send a blob: the client went away', { cause })
}

function written(response: ServerResponse, bytes: Buffer): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  response.write(bytes, (error) => (error === null || error === undefined ? resolve() : reject(clientGone(error))))
  return promise
}

/** Opened before anything is answered: what is open stays readable whoever deletes it. Error: `repository.blob_unknown`. */
export async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r')
  } catch (error) {
    if (systemCodeOf(error) !== 'ENOENT') throw error
    throw repositoryError('repository.blob_unknown', 'the blob was deleted in this moment', { cause: error })
  }
}
