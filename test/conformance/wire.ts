import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'

/** A registry under examination, and one repository of it that nothing else uses. */
export interface Exam {
  readonly base: string
  readonly name: string
  /** A second repository. */
  readonly other: string
}

export const TYPES = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
  layerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  empty: 'application/vnd.oci.empty.v1+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
} as const

export function digestOf(bytes: Buffer, algorithm: 'sha256' | 'sha512' = 'sha256'): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`
}

/** Bytes that no registry has seen. */
export function blob(length = 64): Buffer {
  return randomBytes(length)
}

/** As clients ask: some registries give nothing of another type. */
const ACCEPTED = [TYPES.manifest, TYPES.index, TYPES.dockerManifest, TYPES.dockerList, '*/*'].join(', ')

export interface Ask {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer
}

export async function ask(exam: Exam, path: string, { method = 'GET', headers = {}, body }: Ask = {}): Promise<Response> {
  const url = new URL(path, exam.base)
  const octets = body === undefined ? undefined : new Uint8Array(body)
  const accepting = { accept: ACCEPTED, ...headers }
  return await fetch(url, { method, headers: accepting, redirect: 'follow', ...(octets === undefined ? {} : { body: octets }) })
}

export function location(response: Response): string {
  const found = response.headers.get('location')
  assert.ok(found !== null && found !== '', 'the answer says where to go on')
  return found
}

/** `path?query` with one more parameter: a registry may have put its own there. */
export function withQuery(at: string, name: string, value: string): string {
  return `${at}${at.includes('?') ? '&' : '?'}${name}=${encodeURIComponent(value)}`
}

export async function statusOf(response: Response, ...expected: readonly number[]): Promise<Response> {
  if (!expected.includes(response.status))
    assert.fail(`${response.status} and not ${expected.join(' or ')}: ${await response.text()}`)
  return response
}

/** The first code of an error body ("Error Codes"). */
export async function errorCode(response: Response): Promise<string> {
  const body = (await response.json()) as { readonly errors?: readonly { readonly code?: string }[] }
  return body.errors?.[0]?.code ?? 'none'
}

export async function startUpload(exam: Exam, name = exam.name): Promise<string> {
  const begun = await ask(exam, `/v2/${name}/blobs/uploads/`, { method: 'POST', headers: { 'content-length': '0' } })
  return location(await statusOf(begun, 202))
}

export async function finishUpload(exam: Exam, at: string, digest: string, body?: Buffer): Promise<Response> {
  const headers = { 'content-type': 'application/octet-stream' }
  return await ask(exam, withQuery(at, 'digest', digest), { method: 'PUT', headers, ...(body === undefined ? {} : { body }) })
}

export async function pushBlob(exam: Exam, body: Buffer, name = exam.name, digest = digestOf(body)): Promise<string> {
  await statusOf(await finishUpload(exam, await startUpload(exam, name), digest, body), 201)
  return digest
}

export interface Descriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
}

export function descriptor(mediaType: string, bytes: Buffer): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.length }
}

export interface Pushed {
  readonly bytes: Buffer
  readonly digest: string
  readonly mediaType: string
}

/** A manifest over a configuration and one layer, both pushed before. */
export async function imageOf(
  exam: Exam,
  more: object = {},
  mediaType: string = TYPES.manifest,
  name = exam.name,
): Promise<Pushed> {
  const [config, layer] = [blob(), blob()]
  await pushBlob(exam, config, name)
  await pushBlob(exam, layer, name)
  const isDocker = mediaType === TYPES.dockerManifest
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType,
      config: descriptor(isDocker ? TYPES.dockerConfig : TYPES.config, config),
      layers: [descriptor(isDocker ? TYPES.dockerLayer : TYPES.layer, layer)],
      ...more,
    }),
  )
  return { bytes, digest: digestOf(bytes), mediaType }
}

export async function putManifest(
  exam: Exam,
  { bytes, mediaType }: Pick<Pushed, 'bytes' | 'mediaType'>,
  reference: string,
  name = exam.name,
): Promise<Response> {
  return await ask(exam, `/v2/${name}/manifests/${reference}`, {
    method: 'PUT',
    headers: { 'content-type': mediaType },
    body: bytes,
  })
}

export async function pushImage(exam: Exam, tag: string, more: object = {}, mediaType: string = TYPES.manifest): Promise<Pushed> {
  const image = await imageOf(exam, more, mediaType)
  await statusOf(await putManifest(exam, image, tag), 201)
  return image
}
