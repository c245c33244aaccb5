import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'

import { declareErrors, memoryRecords, silentLog, virtualClock, type Digest, type RecordStore, type VirtualClock } from '#base'
import { createContent, type ContentStore } from '#engine/content'
import type { EngineEvent } from '#engine/events'
import { digestOf } from '#oci/digest'
import { bytesOfText, packTar, type TarEntryInit } from '#oci/tar'

import type { BootstrapTools } from './bootstrap/tools.ts'
import { createImages } from './images.ts'
import type { ImageProgress, Images } from './port.ts'
import type { ImageUser } from './snapshots-port.ts'

const snapshotError = declareErrors({ 'fake_snapshot.in_use': 'conflict', 'fake_snapshot.refused': 'invalid' })

/** For tests: images over a directory of their own, with snapshots that only remember. */
export interface ImagesRig extends Disposable {
  readonly root: string
  readonly images: Images
  readonly content: ContentStore
  readonly clock: VirtualClock
  readonly mountable: Set<Digest>
  readonly events: Omit<EngineEvent, 'timeNs'>[]
  readonly users: Map<Digest, ImageUser[]>
  /** Layers that a container stands on. */
  readonly pinned: Set<Digest>
  /** Makes `addLayer` of the snapshots fail. */
  readonly rejected: Set<Digest>
  blobs(): readonly Digest[]
  /** Files that no operation should leave. */
  leftovers(): readonly string[]
  /** The same disk and records, a new program. */
  restart(): Promise<ImagesRig>
}

export function imagesRig(
  options: { root?: string; records?: RecordStore; tools?: BootstrapTools; keptLayers?: () => ReadonlySet<Digest> } = {},
): ImagesRig {
  const root = options.root ?? mkdtempSync(join(tmpdir(), 'glovebox-images-'))
  const records = options.records ?? memoryRecords()
  const content = createContent({ root })
  const clock = virtualClock()
  const mountable = new Set<Digest>()
  const pinned = new Set<Digest>()
  const rejected = new Set<Digest>()
  const events: Omit<EngineEvent, 'timeNs'>[] = []
  const users = new Map<Digest, ImageUser[]>()
  const images = createImages({
    root,
    records,
    content,
    clock,
    log: silentLog(),
    events: { publish: (event) => void events.push(event) },
    isInUse: (id) => users.get(id) ?? [],
    snapshots: {
      addLayer: async (diffId) => {
        if (rejected.has(diffId)) throw snapshotError('fake_snapshot.refused', `${diffId} cannot be mounted`)
        mountable.add(diffId)
      },
      removeLayer: async (diffId) => {
        if (pinned.has(diffId)) throw snapshotError('fake_snapshot.in_use', `${diffId} is in use`)
        mountable.delete(diffId)
      },
    },
    ...(options.keptLayers === undefined ? {} : { keptLayers: options.keptLayers }),
    ...(options.tools === undefined ? {} : { bootstrapTools: options.tools }),
  })
  return {
    root,
    images,
    content,
    clock,
    mountable,
    events,
    users,
    pinned,
    rejected,
    blobs: () => readdirSync(join(root, 'content/blobs/sha256')).map((hex) => `sha256:${hex}` as Digest),
    leftovers: () =>
      ['content/ingest', 'tmp/images'].flatMap((path) => readdirSync(join(root, path)).map((name) => `${path}/${name}`)),
    restart: async () => {
      const next = imagesRig({ ...options, root, records })
      await next.images.recover()
      return next
    },
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  }
}

export type ArchiveContent = Readonly<
  Record<string, Uint8Array | string | { readonly linkTo: string } | { readonly hardLinkTo: string }>
>

/** A tar of these files, in this order. */
export async function tarOf(files: ArchiveContent): Promise<Buffer> {
  const members = Object.entries(files).map(([path, content]) => {
    const name = bytesOfText(path)
    if (typeof content !== 'string' && 'linkTo' in content)
      return { entry: { path: name, type: 'symlink', linkname: bytesOfText(content.linkTo) } satisfies TarEntryInit }
    if (typeof content !== 'string' && 'hardLinkTo' in content)
      return { entry: { path: name, type: 'hardlink', linkname: bytesOfText(content.hardLinkTo) } satisfies TarEntryInit }
    const body = Buffer.from(content)
    return { entry: { path: name, type: 'file', size: body.length } satisfies TarEntryInit, body: [body] }
  })
  return Buffer.concat(await gather(packTar(members)))
}

export async function gather<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

export function stream(bytes: Uint8Array): Readable {
  return Readable.from([bytes], { objectMode: false })
}

export async function loadAll(images: Images, archive: Uint8Array): Promise<readonly ImageProgress[]> {
  return await gather(images.load(stream(archive)))
}

/** A configuration as other builders write it. */
export function configJson(layers: readonly Uint8Array[], extra: Readonly<Record<string, unknown>> = {}): Buffer {
  return Buffer.from(
    JSON.stringify({
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      created: '2024-05-01T00:00:00Z',
      config: { Cmd: ['sh'], Labels: { made: 'by hand' } },
      rootfs: { type: 'layers', diff_ids: layers.map((layer) => digestOf(layer)) },
      ...extra,
    }),
  )
}
