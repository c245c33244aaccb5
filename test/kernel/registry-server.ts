import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A registry in this process that serves what a test gives it, and may be made to lie. */
export interface FakeRegistry {
  /** `127.0.0.1:PORT` */
  readonly host: string
  readonly seen: readonly SeenRequest[]
  /** By digest, or by any other text that a manifest may ask for. */
  readonly blobs: Map<string, Buffer>
  /** By tag or digest. */
  readonly manifests: Map<string, { readonly bytes: Buffer; readonly mediaType: string }>
  /** Sees every request first; true: it has answered. */
  intercept: (request: IncomingMessage, response: ServerResponse) => boolean
  close(): Promise<void>
}

export interface SeenRequest {
  readonly method: string
  readonly path: string
  readonly authorization: string | undefined
  readonly range: string | undefined
}

export function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

export async function fakeRegistry(): Promise<FakeRegistry> {
  const seen: SeenRequest[] = []
  const server = createServer((request, response) => {
    const { authorization, range } = request.headers
    seen.push({ method: request.method ?? '', path: request.url ?? '', authorization, range })
    if (!registry.intercept(request, response)) serve(registry, request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const registry: FakeRegistry = {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    blobs: new Map(),
    manifests: new Map(),
    intercept: () => false,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return registry
}

function serve(registry: FakeRegistry, request: IncomingMessage, response: ServerResponse): void {
  const [, kind, name = ''] = /\/(manifests|blobs)\/([^/]+)$/.exec(request.url ?? '') ?? []
  const manifest = kind === 'manifests' ? registry.manifests.get(name) : undefined
  const blob = kind === 'blobs' ? registry.blobs.get(name) : undefined
  if (request.url === '/v2/') return void response.end('{}')
  if (manifest !== undefined) {
    response.setHeader('content-type', manifest.mediaType)
    return void response.end(manifest.bytes)
  }
  if (blob !== undefined) return sendBlob(blob, request, response)
  response.statusCode = 404
  const code = kind === 'blobs' ? 'BLOB_UNKNOWN' : 'MANIFEST_UNKNOWN'
  response.end(JSON.stringify({ errors: [{ code, message: code.toLowerCase().replace('_', ' ') }] }))
}

function sendBlob(blob: Buffer, request: IncomingMessage, response: ServerResponse): void {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
  if (start > 0) {
    response.statusCode = 206
    response.setHeader('content-range', `bytes ${start}-${blob.length - 1}/${blob.length}`)
  }
  response.setHeader('content-length', blob.length - start)
  response.end(blob.subarray(start))
}

/** Documents as other programs write them, with what a test wants changed. */
export interface ImageDocuments {
  readonly config: Record<string, unknown>
  readonly manifest: Record<string, unknown>
}

export const TYPES = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
  gzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  zstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
} as const

export interface OfferedLayer {
  readonly tar: Buffer
  /** As it goes over the wire; the tar itself unless given. */
  readonly bytes?: Buffer
  readonly mediaType?: string
}

/** Puts an image on the registry under a tag; `change` may spoil its documents first. Gives the manifest's digest. */
export function offerImage(
  registry: FakeRegistry,
  tag: string,
  layers: readonly OfferedLayer[],
  change: (documents: ImageDocuments) => void = () => undefined,
): string {
  const described = layers.map(({ tar, bytes = tar, mediaType = TYPES.layer }) => {
    registry.blobs.set(sha256(bytes), bytes)
    return { mediaType, digest: sha256(bytes), size: bytes.length }
  })
  const config: Record<string, unknown> = {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: { Cmd: ['sh'] },
    rootfs: { type: 'layers', diff_ids: layers.map(({ tar }) => sha256(tar)) },
  }
  const manifest: Record<string, unknown> = { schemaVersion: 2, mediaType: TYPES.manifest, layers: described }
  change({ config, manifest })
  const configBytes = Buffer.from(JSON.stringify(config))
  registry.blobs.set(sha256(configBytes), configBytes)
  manifest['config'] = {
    mediaType: TYPES.config,
    digest: sha256(configBytes),
    size: configBytes.length,
    ...(manifest['config'] as object),
  }
  return offerManifest(registry, tag, Buffer.from(JSON.stringify(manifest)))
}

export function offerManifest(registry: FakeRegistry, tag: string, bytes: Buffer, mediaType: string = TYPES.manifest): string {
  const digest = sha256(bytes)
  for (const name of [tag, digest]) registry.manifests.set(name, { bytes, mediaType })
  return digest
}
