import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

import { GloveboxError, systemCodeOf, type Clock, type Random, type RecordStore } from '#base'
import { CHUNK_BYTES, fileAppender, MAX_BLOB_BYTES, writeFailure } from '#engine/content'
import { digestError, type VerifiableDigest } from '#oci/digest'

import { repositoryError } from './errors.ts'
import { MAX_UPLOADS, UPLOAD_IDLE_MS } from './limits.ts'
import type { AppendOptions, UploadStat } from './port.ts'

interface UploadRow {
  readonly name: string
  readonly touchedAtMs: number
}

export interface UploadsNeeds {
  readonly directory: string
  readonly records: RecordStore
  readonly clock: Clock
  readonly random: Random
}

/** An upload whose digest was checked, as a file that its taker moves away. */
export interface FinishedUpload {
  readonly path: string
  readonly sha256: string
  readonly sizeBytes: number
}

/**
 * Uploads under way: one file each, named by an id that cannot be guessed, bound to the repository that it was begun for. A restart keeps
 * them; their hash is then computed from the file.
 */
export interface Uploads {
  start(name: string): Promise<UploadStat>
  stat(name: string, id: string): Promise<UploadStat>
  append(name: string, id: string, source: AsyncIterable<Uint8Array>, options: AppendOptions): Promise<UploadStat>
  /** Error: `digest.mismatch`; the upload is gone then. `take` gets the file, and after it the upload is over. */
  finish<R>(name: string, id: string, digest: VerifiableDigest, take: (file: FinishedUpload) => Promise<R>): Promise<R>
  /** Ends an upload by other means than its bytes. False when there is none. */
  replace(name: string, id: string, take: () => Promise<void>): Promise<boolean>
  cancel(name: string, id: string): Promise<void>
  /** Those that nothing was added to for long. */
  idle(): readonly { readonly name: string; readonly id: string }[]
  recover(): Promise<void>
}

/** What is known of an upload since this process has seen all of its bytes. */
interface Live {
  readonly sha256: Hash
  sizeBytes: number
}

const ID = /^[0-9a-f]{32}$/

export function createUploads(needs: UploadsNeeds): Uploads {
  const { directory, clock, random } = needs
  const table = needs.records.table<UploadRow>('registry-uploads')
  const rows = new Map(table.entries())
  const live = new Map<string, Live>()
  const busy = new Set<string>()
  const pathOf = (id: string) => join(directory, id)

  const find = (name: string, id: string): UploadRow => {
    const row = ID.test(id) ? rows.get(id) : undefined
    if (row?.name === name) return row
    throw repositoryError('repository.upload_unknown', `${name} has no upload ${JSON.stringify(id.slice(0, 64))}`, {
      hint: 'Begin a new one: it was finished, cancelled, or not continued for a day.',
    })
  }
  const touch = (name: string, id: string) => {
    const row = { name, touchedAtMs: clock.nowMs() }
    rows.set(id, row)
    table.note(id, row)
  }
  const forget = async (id: string) => {
    rows.delete(id)
    live.delete(id)
    table.forget(id)
    await rm(pathOf(id), { force: true })
  }
  const sizeOf = async (id: string) => live.get(id)?.sizeBytes ?? (await stat(pathOf(id))).size
  /** One at a time: two streams into one file would be neither. */
  const alone = async <R>(name: string, id: string, work: () => Promise<R>): Promise<R> => {
    find(name, id)
    if (busy.has(id)) throw repositoryError('repository.upload_busy', `the upload ${id} is being written to by another request`)
    busy.add(id)
    try {
      return await work()
    } finally {
      busy.delete(id)
    }
  }

  return {
    start: async (name) => {
      if (rows.size >= MAX_UPLOADS)
        throw repositoryError('repository.too_many_uploads', `${MAX_UPLOADS} uploads are under way`, {
          hint: 'Uploads that are not continued are given up after a day; cancel those that nobody needs.',
        })
      const id = random.bytes(16).toString('hex')
      await mkdir(directory, { recursive: true, mode: 0o700 })
      await (await open(pathOf(id), 'wx', 0o600)).close()
      live.set(id, { sha256: createHash('sha256'), sizeBytes: 0 })
      touch(name, id)
      return { id, sizeBytes: 0 }
    },
    stat: async (name, id) => {
      find(name, id)
      return { id, sizeBytes: await sizeOf(id) }
    },
    append: (name, id, source, options) =>
      alone(name, id, async () => {
        const startByte = await sizeOf(id)
        refuseGap(id, startByte, options)
        refuseTooLarge(id, startByte + (options.sizeBytes ?? 0))
        const state = live.get(id)
        // Until all is written the hash and the file may differ.
        live.delete(id)
        const { addedBytes, failure, isWritten } = await appendTo(pathOf(id), startByte, source, state?.sha256)
        touch(name, id)
        if (state !== undefined && isWritten) live.set(id, { sha256: state.sha256, sizeBytes: startByte + addedBytes })
        if (failure !== undefined) {
          // Nobody can go on with it, and its bytes are what the disk is full of.
          if (failure.code === 'content.disk_full') await forget(id)
          throw failure
        }
        if (options.sizeBytes !== undefined && addedBytes !== options.sizeBytes)
          throw repositoryError(
            'repository.upload_invalid',
            `the upload ${id} got ${addedBytes} bytes and was promised ${options.sizeBytes}`,
          )
        return { id, sizeBytes: startByte + addedBytes }
      }),
    finish: (name, id, digest, take) =>
      alone(name, id, async () => {
        const known = live.get(id)
        live.delete(id)
        const sha256 = known === undefined ? await hashFile(pathOf(id), 'sha256') : known.sha256.digest('hex')
        const found = digest.algorithm === 'sha256' ? sha256 : await hashFile(pathOf(id), digest.algorithm)
        const { size } = await stat(pathOf(id))
        if (found !== digest.hex) {
          await forget(id)
          throw digestError(
            'digest.mismatch',
            `the upload has the digest ${digest.algorithm}:${found} and not the promised ${digest.text}`,
          )
        }
        const taken = await take({ path: pathOf(id), sha256: `sha256:${sha256}`, sizeBytes: size })
        await forget(id)
        return taken
      }),
    replace: async (name, id, take) => {
      if (rows.get(id)?.name !== name) return false
      await alone(name, id, async () => {
        await take()
        await forget(id)
      })
      return true
    },
    cancel: (name, id) => alone(name, id, () => forget(id)),
    idle: () => {
      const before = clock.nowMs() - UPLOAD_IDLE_MS
      return [...rows].flatMap(([id, { name, touchedAtMs }]) => (touchedAtMs < before && !busy.has(id) ? [{ name, id }] : []))
    },
    recover: async () => {
      const files = new Set(await readdir(directory).catch(noneThere))
      for (const id of rows.keys()) if (!files.has(id)) await forget(id)
      for (const file of files) if (!rows.has(file)) await rm(join(directory, file), { force: true })
    },
  }
}

function noneThere(error: unknown): string[] {
  if (systemCodeOf(error) === 'ENOENT') return []
  throw error
}

function refuseGap(id: string, atByte: number, { startByte }: AppendOptions): void {
  if (startByte === undefined || startByte === atByte) return
  throw repositoryError(
    'repository.upload_out_of_order',
    `the upload ${id} goes on at byte ${atByte}, and the chunk begins at ${startByte}`,
    {
      hint: 'Ask for the state of the upload and send what follows.',
      details: { sizeBytes: atByte },
    },
  )
}

function refuseTooLarge(id: string, sizeBytes: number): void {
  if (sizeBytes <= MAX_BLOB_BYTES) return
  throw repositoryError(
    'repository.blob_too_large',
    `the upload ${id} would have ${sizeBytes} bytes, more than ${MAX_BLOB_BYTES}`,
  )
}

interface Appended {
  readonly addedBytes: number
  readonly failure: GloveboxError | undefined
  /** All that was hashed is in the file. */
  readonly isWritten: boolean
}

/** Appends what comes, hashing it. What arrived before the sender went away stays in the file, and can be gone on with. */
async function appendTo(
  path: string,
  startByte: number,
  source: AsyncIterable<Uint8Array>,
  sha256: Hash | undefined,
): Promise<Appended> {
  await using file = await fileAppender(path, startByte)
  let addedBytes = 0
  let failure: GloveboxError | undefined
  try {
    for await (const chunk of source) {
      sha256?.update(chunk)
      addedBytes += chunk.length
      refuseTooLarge(path, startByte + addedBytes)
      const isFull = file.append(chunk)
      if (isFull !== undefined) await isFull
    }
  } catch (error) {
    failure = asFailure(error)
  }
  try {
    await file.end()
    return { addedBytes, failure, isWritten: true }
  } catch (error) {
    return { addedBytes, failure: failure ?? asFailure(error), isWritten: false }
  }
}

function asFailure(error: unknown): GloveboxError {
  return error instanceof GloveboxError ? error : writeFailure('store an upload', error)
}

async function hashFile(path: string, algorithm: 'sha256' | 'sha512'): Promise<string> {
  const hash = createHash(algorithm)
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES })) hash.update(chunk as Buffer)
  return hash.digest('hex')
}
