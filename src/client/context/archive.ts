import { createHash } from 'node:crypto'
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, type Transform } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'

import type { WireContextEntry } from '#api/glovebox'
import { insideRoot } from '#oci/patterns'
import { bytesOfText, scanTar, textOfBytes, type TarEntry } from '#oci/tar'

import { clientError } from '../errors.ts'
import { decompressed } from './decompress.ts'
import { type DockerfileChoice, memoryEntry, OUTSIDE_DOCKERFILE } from './directory.ts'
import type { BuildSource } from './source.ts'

/** As the daemon's bound of a context. */
const MAX_ARCHIVE_BYTES = 16 * 1024 ** 3
const MAX_DOCKERFILE_BYTES = 4 * 1024 * 1024
/** Where a tar says that it is one (POSIX ustar). */
const MAGIC_OFFSET = 257
const HEAD_BYTES = 512
const CHUNK_BYTES = 1024 * 1024

/** What comes on the standard input: an archive, plain or compressed with gzip, zstd, xz or bzip2, or the text of a Dockerfile. Errors: `client.bad_context`. */
export async function streamSource(
  stream: AsyncIterable<Buffer>,
  dockerfile: DockerfileChoice | undefined,
): Promise<BuildSource> {
  const { head, whole } = await peeked(stream)
  if (head.length === 0) throw clientError('client.bad_context', 'the standard input has neither a Dockerfile nor an archive')
  const compression = COMPRESSIONS.find(({ magic }) => head.subarray(0, magic.length).equals(magic))
  const isTar = head.toString('latin1', MAGIC_OFFSET, MAGIC_OFFSET + 5) === 'ustar'
  if (compression === undefined && !isTar) return dockerfileSource(await textOf(whole), 'the standard input')
  return await archiveSource(compression === undefined ? whole : compression.open(whole), dockerfile)
}

function through(stream: AsyncIterable<Buffer>, decoder: Transform): AsyncIterable<Buffer> {
  return Readable.from(stream, { objectMode: false }).compose(decoder) as AsyncIterable<Buffer>
}

const COMPRESSIONS = [
  { name: 'gzip', magic: Buffer.from([0x1f, 0x8b]), open: (stream: AsyncIterable<Buffer>) => through(stream, createGunzip()) },
  {
    name: 'zstd',
    magic: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]),
    open: (stream: AsyncIterable<Buffer>) => through(stream, createZstdDecompress()),
  },
  { name: 'bzip2', magic: Buffer.from('BZh'), open: (stream: AsyncIterable<Buffer>) => decompressed('bzip2', stream) },
  {
    name: 'xz',
    magic: Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a]),
    open: (stream: AsyncIterable<Buffer>) => decompressed('xz', stream),
  },
]

/** A Dockerfile without any context. */
export function dockerfileSource(text: string, shown: string): BuildSource {
  const bytes = Buffer.from(text)
  const entry = memoryEntry('Dockerfile', bytes)
  return {
    key: `dockerfile:${entry[5]}`,
    dockerfile: { path: 'Dockerfile', shown, text },
    list: async () => [entry],
    read: () => [bytes],
    [Symbol.asyncDispose]: async () => undefined,
  }
}

async function archiveSource(tar: AsyncIterable<Buffer>, dockerfile: DockerfileChoice | undefined): Promise<BuildSource> {
  const spool = await spooled(tar)
  try {
    const files = new Map<string, readonly [WireContextEntry, offset: number]>()
    for (const entry of scanTar(spool.readAt, spool.sizeBytes)) add(files, entry, spool.digest)
    const read = ([path]: WireContextEntry) => spool.bytes(files.get(path)?.[1] ?? 0, files.get(path)?.[0][3] ?? 0)
    const given = dockerfile !== undefined && 'text' in dockerfile ? dockerfile : undefined
    const path =
      given === undefined
        ? insideRoot(dockerfile !== undefined && 'path' in dockerfile ? dockerfile.path : 'Dockerfile')
        : OUTSIDE_DOCKERFILE
    const inArchive = files.get(bytesOfText(path))?.[0]
    if (given === undefined && (inArchive?.[1] !== 'file' || inArchive[3] > MAX_DOCKERFILE_BYTES))
      throw clientError('client.bad_context', `the archive on the standard input has no Dockerfile ${JSON.stringify(path)}`, {
        hint: 'Name another with --file.',
      })
    const text = given?.text ?? Buffer.concat([...(inArchive === undefined ? [] : read(inArchive))]).toString('utf8')
    const outside = given === undefined ? undefined : memoryEntry(OUTSIDE_DOCKERFILE, Buffer.from(text))
    return {
      key: 'archive:standard-input',
      dockerfile: { path, shown: given?.shown ?? path, text },
      list: async () => [...[...files.values()].map(([entry]) => entry), ...(outside === undefined ? [] : [outside])],
      read: (entry) => (entry === outside ? [Buffer.from(text)] : read(entry)),
      [Symbol.asyncDispose]: async () => spool[Symbol.dispose](),
    }
  } catch (error) {
    spool[Symbol.dispose]()
    throw error
  }
}

function add(files: Map<string, readonly [WireContextEntry, number]>, entry: TarEntry, digest: string): void {
  const { path, mode, size, mtimeS, dataOffset } = entry
  if (path === '') return
  // A later entry of the same name is the one that counts, in its place.
  files.delete(path)
  if (entry.type === 'directory') files.set(path, [[path, 'directory', mode, 0, mtimeS, '', ''], 0])
  else if (entry.type === 'symlink') files.set(path, [[path, 'symlink', mode, 0, mtimeS, '', entry.linkname], 0])
  else if (entry.type === 'file') files.set(path, [[path, 'file', mode, size, mtimeS, `${digest} ${dataOffset}`, ''], dataOffset])
  else if (entry.type === 'hardlink') {
    const target = files.get(entry.linkname)
    if (target === undefined || target[0][1] !== 'file')
      throw clientError(
        'client.bad_context',
        `the archive on the standard input links ${textOfBytes(path)} to a file that it does not have before`,
      )
    files.set(path, [[path, ...target[0].slice(1)] as unknown as WireContextEntry, target[1]])
  } else
    throw clientError('client.bad_context', `the archive on the standard input has ${textOfBytes(path)}, a ${entry.type}`, {
      hint: 'Leave devices and pipes out.',
    })
}

interface Spool extends Disposable {
  readonly sizeBytes: number
  readonly digest: string
  readonly readAt: (buffer: Buffer, position: number) => number
  bytes(offset: number, sizeBytes: number): Iterable<Buffer>
}

/** In a file without a name, which goes with the process. */
async function spooled(source: AsyncIterable<Buffer>): Promise<Spool> {
  const directory = mkdtempSync(join(tmpdir(), 'glovebox-context-'))
  const fd = openSync(join(directory, 'archive'), 'wx+', 0o600)
  rmSync(directory, { recursive: true })
  try {
    const digest = createHash('sha256')
    let sizeBytes = 0
    for await (const chunk of source) {
      sizeBytes += chunk.length
      if (sizeBytes > MAX_ARCHIVE_BYTES)
        throw clientError('client.bad_context', `the archive on the standard input is larger than ${MAX_ARCHIVE_BYTES} bytes`)
      digest.update(chunk)
      for (let at = 0; at < chunk.length;) at += writeSync(fd, chunk, at)
    }
    const readAt = (buffer: Buffer, position: number) => readSync(fd, buffer, 0, buffer.length, position)
    return {
      sizeBytes,
      digest: digest.digest('hex'),
      readAt,
      bytes: function* (offset, wantedBytes) {
        for (let at = 0; at < wantedBytes;) {
          const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, wantedBytes - at))
          const count = readAt(chunk, offset + at)
          if (count === 0) throw clientError('client.bad_context', 'the archive on the standard input is cut off')
          at += count
          yield chunk.subarray(0, count)
        }
      },
      [Symbol.dispose]: () => closeSync(fd),
    }
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

/** The first bytes, and the stream with them in place again. */
async function peeked(stream: AsyncIterable<Buffer>): Promise<{ readonly head: Buffer; readonly whole: AsyncIterable<Buffer> }> {
  const iterator = stream[Symbol.asyncIterator]()
  let head: Buffer = Buffer.alloc(0)
  while (head.length < HEAD_BYTES) {
    const next = await iterator.next()
    if (next.done === true) break
    head = Buffer.concat([head, Buffer.from(next.value)])
  }
  async function* whole(): AsyncGenerator<Buffer> {
    if (head.length > 0) yield head
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield Buffer.from(next.value)
  }
  return { head, whole: whole() }
}

/** A text that comes as a stream, such as a Dockerfile on the standard input. */
export async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stream) {
    size += chunk.length
    if (size > MAX_DOCKERFILE_BYTES)
      throw clientError('client.bad_context', `the Dockerfile on the standard input is larger than ${MAX_DOCKERFILE_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
