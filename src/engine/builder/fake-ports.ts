import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { invariant, keyedLocks, memoryRecords, seededRandom, systemClock, type Clock, type Digest } from '#base'
import { digestOf } from '#oci/digest'
import { emptyProcessConfig, hostPlatform, writeImageConfig, type ImageConfig, type ImageProcessConfig } from '#oci/image'
import { bytesOfText, packTar, tarPushScanner, textOfBytes, type ByteString, type TarEntry, type TarMember } from '#oci/tar'

import { archiveTree } from './context.ts'
import { indexArchive, type ArchiveIndex } from './context-index.ts'
import { fairTurns } from './fair-turns.ts'
import { fakeExchange, type FakeExchange } from './fake-exchange.ts'
import { fakeRemote, type FakeRemote } from './fake-remote.ts'
import type { FileTree } from './file-tree.ts'
import { buildCache } from './build-cache.ts'
import { decompressor } from './remote/index.ts'
import type { BaseImage, BuilderPorts, RunSpec } from './ports.ts'

/** Files of a fake tree: text is a file, `null` a directory, an object anything else. */
export type FakeFiles = Readonly<Record<string, string | null | (Partial<TarMember['entry']> & { readonly body?: Buffer })>>

export interface FakeMachine extends Disposable {
  readonly ports: BuilderPorts
  readonly exchange: FakeExchange
  readonly runs: RunSpec[]
  readonly tags: ReadonlyMap<string, Digest>
  addImage(reference: string, files: FakeFiles, config?: Partial<ImageProcessConfig>): Promise<BaseImage>
  image(id: Digest): ImageConfig
  /** The merged content of an image, as `path` to text, link target or `null`. */
  files(layers: readonly Digest[]): Promise<Record<string, string | null>>
  entry(layers: readonly Digest[], path: string): Promise<TarEntry | undefined>
  removeLayer(diffId: Digest): void
  readonly retained: ReadonlyMap<string, readonly Digest[]>
  readonly remote: FakeRemote
}

export interface FakeCommand {
  readonly files?: FakeFiles
  readonly output?: string
  readonly exitCode?: number
}

/** A machine in memory. `command` decides what a RUN does. */
export function fakeMachine(
  command: (spec: RunSpec) => FakeCommand | Promise<FakeCommand> = () => ({}),
  clock: Clock = systemClock(),
): FakeMachine {
  const directory = mkdtempSync(join(tmpdir(), 'glovebox-build-'))
  const layers = new Map<Digest, Buffer>()
  const images = new Map<Digest, ImageConfig>()
  const references = new Map<string, Digest>()
  const retained = new Map<string, readonly Digest[]>()
  const runs: RunSpec[] = []
  const remote = fakeRemote()

  const store = (tar: Buffer): Digest => {
    const diffId = digestOf(tar)
    layers.set(diffId, tar)
    return diffId
  }
  const merged = (list: readonly Digest[]): FileTree => mergedTree(list.map((diffId) => layers.get(diffId) ?? Buffer.alloc(0)))
  const commit = (config: ImageConfig): Digest => {
    const id = digestOf(writeImageConfig(config))
    images.set(id, config)
    return id
  }
  const exchange = fakeExchange(layers)
  const ports: BuilderPorts = {
    images: {
      resolve: async (reference) => {
        const id = references.get(reference)
        const config = id === undefined ? undefined : images.get(id)
        return id === undefined || config === undefined ? undefined : { id, config }
      },
      commit: async (config) => commit(config),
      tag: async (id, reference) => void references.set(reference, id),
    },
    layers: {
      addLayerTar: async (tar) => {
        const whole = await gather(tar)
        return { diffId: store(whole), sizeBytes: whole.length }
      },
      has: (diffId) => layers.has(diffId),
      isInImage: (diffId) => [...images.values()].some((image) => image.diffIds.includes(diffId)),
      retain: async (holder, list) => void retained.set(holder, list),
      release: async (holder) => void retained.delete(holder),
    },
    root: { open: async (list) => ({ ...merged(list), [Symbol.asyncDispose]: async () => undefined }) },
    runner: {
      run: async (spec) => {
        runs.push(spec)
        const { files = {}, output, exitCode = 0 } = await command(spec)
        if (output !== undefined) spec.onOutput('stdout', Buffer.from(output))
        return { exitCode, diff: () => packTar(membersOf(files)), [Symbol.asyncDispose]: async () => undefined }
      },
    },
    cache: buildCache(memoryRecords()),
    remote,
    decompress: decompressor(),
    clock,
    random: seededRandom(1),
    locks: keyedLocks(),
    turns: fairTurns(2),
    exchange,
    canRun: ({ architecture }) => architecture === hostPlatform().architecture,
    spoolDirectory: directory,
  }
  return {
    ports,
    exchange,
    runs,
    retained,
    remote,
    tags: references,
    addImage: async (reference, files, config = {}) => {
      const diffId = store(await tarOf(files))
      const image: ImageConfig = {
        architecture: 'amd64',
        os: 'linux',
        variant: '',
        created: '2024-01-01T00:00:00.000Z',
        author: '',
        comment: '',
        config: { ...emptyProcessConfig(), ...config },
        diffIds: [diffId],
        history: [{ created: '2024-01-01T00:00:00.000Z', createdBy: 'base', author: '', comment: '', isEmptyLayer: false }],
      }
      const id = commit(image)
      references.set(reference, id)
      return { id, config: image }
    },
    image: (id) => {
      const found = images.get(id)
      invariant(found !== undefined, `the image ${id} is there`)
      return found
    },
    files: async (list) => await contentOf(merged(list)),
    entry: async (list, path) =>
      list
        .toReversed()
        .flatMap((diffId) => entriesOf(layers.get(diffId) ?? Buffer.alloc(0)))
        .find((entry) => entry.path === path),
    removeLayer: (diffId) => void layers.delete(diffId),
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  }
}

export async function tarOf(files: FakeFiles): Promise<Buffer> {
  return await gather(packTar(membersOf(files)))
}

export async function gather(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const chunk of chunks) parts.push(chunk)
  return Buffer.concat(parts)
}

export async function* streamOf(bytes: Buffer, chunkBytes = 65_536): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes)
}

function membersOf(files: FakeFiles): TarMember[] {
  return Object.entries(files).map(([name, file]) => {
    const path = bytesOfText(name)
    const defaults = { path, uid: 0, gid: 0, mtimeS: 1_700_000_000 }
    if (file === null) return { entry: { ...defaults, type: 'directory', mode: 0o755 } }
    if (typeof file === 'string') {
      const body = Buffer.from(file)
      return { entry: { ...defaults, type: 'file', mode: 0o644, size: body.length }, body: [body] }
    }
    const { body, ...entry } = file
    const member = { ...defaults, type: 'file' as const, mode: 0o644, ...entry }
    return body === undefined ? { entry: member } : { entry: { ...member, size: body.length }, body: [body] }
  })
}

function entriesOf(tar: Buffer): TarEntry[] {
  const entries: TarEntry[] = []
  if (tar.length > 0) tarPushScanner((entry) => entries.push(entry)).push(tar)
  return entries
}

/** Layers on top of each other, whiteouts left aside. */
function mergedTree(tars: readonly Buffer[]): FileTree {
  const whole = Buffer.concat(tars)
  let start = 0
  const entries = tars.flatMap((tar) => {
    const found = entriesOf(tar).map((entry) => ({ ...entry, dataOffset: entry.dataOffset + start }))
    start += tar.length
    return found
  })
  const index: ArchiveIndex = indexArchive(entries, () => '')
  const read = async function* (offset: number, size: number) {
    yield whole.subarray(offset, offset + size)
  }
  return { ...archiveTree(index, { read }), sha256: () => undefined }
}

async function contentOf(tree: FileTree, path = '' as ByteString, into: Record<string, string | null> = {}) {
  for (const name of await tree.list(path)) {
    const at = (path === '' ? name : `${path}/${name}`) as ByteString
    const entry = await tree.lstat(at)
    if (entry?.type === 'file') into[textOfBytes(at)] = (await gather(tree.read(at))).toString()
    else into[textOfBytes(at)] = entry?.type === 'symlink' ? `-> ${textOfBytes(entry.linkname)}` : null
    if (entry?.type === 'directory') await contentOf(tree, at, into)
  }
  return into
}
