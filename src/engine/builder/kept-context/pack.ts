import { mkdir, open, readFile, rename, rm, writeFile, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'

import { invariant } from '#base'
import { isObject, type JsonObject } from '#oci/image'

/** Where the content of one file lies in the pack. */
export interface PackedFile {
  readonly signature: string
  readonly offset: number
  readonly sizeBytes: number
  /** Hexadecimal. */
  readonly sha256: string
}

/** By path. */
export type PackedFiles = ReadonlyMap<string, PackedFile>

/** A pack in which dead bytes outgrow the living by more than this is written anew. */
const MAX_DEAD_BYTES = 64 * 1024 * 1024
const COPY_BYTES = 1024 * 1024

/** Contents of files one after the other, and an index that is replaced whole. Appending leaves what readers look at alone. */
export interface Pack {
  readonly files: PackedFiles
  /** Changes when the files are stored or the pack is written anew. */
  readonly generation: string
  /** Bytes of the pack's file. */
  readonly sizeBytes: number
}

export const EMPTY_PACK: Pack = { files: new Map(), generation: '0', sizeBytes: 0 }

/** What is kept in a directory; nothing when there is none, or when it is not what we would have written. */
export async function readPack(directory: string): Promise<Pack> {
  try {
    const index: unknown = JSON.parse(await readFile(join(directory, 'index.json'), 'utf8'))
    if (!isObject(index)) return EMPTY_PACK
    const { generation, sizeBytes, files } = index
    if (typeof generation !== 'string' || typeof sizeBytes !== 'number' || !Array.isArray(files)) return EMPTY_PACK
    await using file = await open(packPath(directory, generation), 'r')
    const { size } = await file.stat()
    // A power cut may have taken the end of the pack and not the index.
    return size < sizeBytes ? EMPTY_PACK : { files: new Map(files as [string, PackedFile][]), generation, sizeBytes: size }
  } catch {
    return EMPTY_PACK
  }
}

/** Replaces the index. */
export async function writeIndex(directory: string, pack: Pack): Promise<void> {
  const { generation, sizeBytes, files } = pack
  const index: JsonObject = { generation, sizeBytes, files: [...files] }
  await writeFile(join(directory, 'index.new'), JSON.stringify(index))
  await rename(join(directory, 'index.new'), join(directory, 'index.json'))
}

export async function openPack(directory: string, pack: Pack): Promise<FileHandle> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  return await open(packPath(directory, pack.generation), pack.sizeBytes === 0 ? 'w+' : 'r+', 0o600)
}

/** The same files in a new pack without what none of them needs, when that is worth it. Readers of the old one keep it open. */
export async function compacted(directory: string, pack: Pack): Promise<Pack> {
  const living = [...pack.files.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  const dead = pack.sizeBytes - living
  if (dead < MAX_DEAD_BYTES || dead < living) return pack
  const generation = String(Number(pack.generation) + 1)
  await using from = await open(packPath(directory, pack.generation), 'r')
  await using to = await open(packPath(directory, generation), 'w', 0o600)
  const files = new Map<string, PackedFile>()
  let offset = 0
  for (const [path, file] of pack.files) {
    await copyPart(from, to, file, offset)
    files.set(path, { ...file, offset })
    offset += file.sizeBytes
  }
  const next: Pack = { files, generation, sizeBytes: offset }
  await writeIndex(directory, next)
  await rm(packPath(directory, pack.generation), { force: true })
  return next
}

async function copyPart(from: FileHandle, to: FileHandle, { offset, sizeBytes }: PackedFile, at: number): Promise<void> {
  const buffer = Buffer.allocUnsafe(Math.min(COPY_BYTES, sizeBytes))
  for (let done = 0; done < sizeBytes;) {
    const { bytesRead } = await from.read(buffer, 0, Math.min(buffer.length, sizeBytes - done), offset + done)
    invariant(bytesRead > 0, 'the pack has the bytes that its index names')
    await to.write(buffer, 0, bytesRead, at + done)
    done += bytesRead
  }
}

function packPath(directory: string, generation: string): string {
  return join(directory, `pack.${generation}`)
}
