import type { ByteSource } from '#engine/content'
import type { VerifiableDigest } from '#oci/digest'
import { MAX_MANIFEST_BYTES, MEDIA_TYPES } from '#oci/image'

import { blobSource } from './blob-source.ts'
import { registryError } from './errors.ts'
import { followRedirect } from './redirect.ts'
import { withRetries, type RetryNeeds } from './retry.ts'
import { listTags } from './list-tags.ts'
import type { Session } from './session.ts'
import type { RequestBody, WireAnswer } from './wire.ts'
import type { RegistryOptions } from './endpoints.ts'

/** A manifest as it came, not looked at yet. */
export interface RawManifest {
  readonly bytes: Buffer
  /** `Content-Type` without its parameters; null when there was none. */
  readonly mediaType: string | null
  /** What the registry says its digest is; empty when it says nothing. */
  readonly announcedDigest: string
}

/** One repository of a registry (distribution-spec, "Endpoints"). Names and digests have been parsed, so that each is safe in a path. */
export interface Repository {
  readonly path: string
  /** By tag or digest. Errors: `registry.manifest_unknown` and the like. */
  manifest(reference: string): Promise<RawManifest>
  /** As the registry lists them. Errors: `registry.answer_too_large`, `registry.answer_invalid`. */
  tags(): Promise<readonly string[]>
  /** Goes on where a broken connection left off. Error of the first read: `registry.blob_unknown`. */
  blob(digest: VerifiableDigest, sizeBytes: number, what: string): ByteSource
  hasBlob(digest: string): Promise<boolean>
  /** True when the registry took it over from another of its repositories. */
  mount(digest: string, from: string): Promise<boolean>
  upload(digest: string, body: Buffer | RequestBody): Promise<void>
  /** Begins an upload that somebody else may end, by its id; gives it back when he does not. False then. */
  offer(take: (id: string) => Promise<boolean>): Promise<boolean>
  putManifest(reference: string, mediaType: string, bytes: Buffer): Promise<void>
}

const ACCEPT = [MEDIA_TYPES.ociIndex, MEDIA_TYPES.dockerList, MEDIA_TYPES.ociManifest, MEDIA_TYPES.dockerManifest].join(', ')

export function openRepository(
  given: RetryNeeds & { readonly options: RegistryOptions },
  session: Session,
  path: string,
  actions: 'pull' | 'pull,push',
): Repository {
  const { signal } = session
  const needs = { ...given, signal }
  const scopes = [`repository:${path}:${actions}`]
  const at = (tail: string) => `/v2/${path}/${tail}`
  const retrying = <T>(work: () => Promise<T>) => withRetries(needs, signal, work)
  /** Opens an upload, or has the blob mounted: then there is no place to send it to. */
  const openUpload = async (query: string, withScopes: readonly string[]): Promise<URL | null> => {
    const where = at(`blobs/uploads/${query}`)
    const answer = await session.send({
      method: 'POST',
      path: where,
      headers: { 'content-length': '0' },
      scopes: withScopes,
      expect: [201, 202],
      what: `upload to ${path}`,
    })
    answer.discard()
    if (answer.status === 201) return null
    return followRedirect(new URL(where, session.endpoint.origin), answer.header('location'), session.endpoint, needs.options)
  }
  return {
    path,
    manifest: (reference) =>
      retrying(async () => {
        const answer = await session
          .send({
            method: 'GET',
            path: at(`manifests/${reference}`),
            headers: { accept: ACCEPT },
            scopes,
            expect: [200],
            what: `manifest ${path}:${reference}`,
          })
          .catch((error: unknown) => {
            throw asManifestUnknown(error)
          })
        return { ...headersOf(answer), bytes: await answer.bytes(MAX_MANIFEST_BYTES) }
      }),
    tags: () => retrying(() => listTags(session, scopes, path, needs.options)),
    blob: (digest, sizeBytes, what) =>
      blobSource(needs, { sizeBytes, what }, (startByte) =>
        session.send({
          method: 'GET',
          path: at(`blobs/${digest.text}`),
          headers: startByte === 0 ? {} : { range: `bytes=${startByte}-` },
          scopes,
          expect: startByte === 0 ? [200] : [200, 206],
          what,
        }),
      ),
    hasBlob: (digest) =>
      retrying(async () => {
        const answer = await session.send({
          method: 'HEAD',
          path: at(`blobs/${digest}`),
          scopes,
          expect: [200, 404],
          what: `blob ${digest}`,
        })
        answer.discard()
        return answer.status === 200
      }),
    mount: (digest, from) =>
      retrying(async () => {
        const query = `?mount=${encodeURIComponent(digest)}&from=${encodeURIComponent(from)}`
        const place = await openUpload(query, [...scopes, `repository:${from}:pull`])
        if (place !== null) await cancelUpload(session, place, scopes)
        return place === null
      }),
    upload: (digest, body) =>
      retrying(async () => {
        const place = await openUpload('', scopes)
        // Without `mount` a registry has nothing to answer 201 to; one that does has the blob.
        if (place === null) return
        place.searchParams.set('digest', digest)
        const headers = { 'content-type': 'application/octet-stream' }
        const what = `upload of ${digest} to ${path}`
        const answer = await session.send({ method: 'PUT', path: place, headers, body, scopes, expect: [201], what })
        answer.discard()
      }),
    offer: (take) =>
      retrying(async () => {
        const place = await openUpload('', scopes)
        const id = place?.pathname.split('/').at(-1) ?? ''
        if (place === null || (await take(id))) return true
        await cancelUpload(session, place, scopes)
        return false
      }),
    putManifest: (reference, mediaType, bytes) =>
      retrying(async () => {
        const answer = await session.send({
          method: 'PUT',
          path: at(`manifests/${reference}`),
          headers: { 'content-type': mediaType },
          body: bytes,
          scopes,
          expect: [201],
          what: `manifest ${path}:${reference}`,
        })
        answer.discard()
      }),
  }
}

/** An upload that nobody will finish is given back; a registry that does not know how collects it some day. */
async function cancelUpload(session: Session, place: URL, scopes: readonly string[]): Promise<void> {
  try {
    const answer = await session.send({ method: 'DELETE', path: place, scopes, expect: [204], what: 'cancel an upload' })
    answer.discard()
  } catch {
    // Nothing depends on it.
  }
}

function headersOf(answer: WireAnswer): Omit<RawManifest, 'bytes'> {
  const type = answer.header('content-type').split(';')[0]?.trim() ?? ''
  return { mediaType: type === '' ? null : type, announcedDigest: answer.header('docker-content-digest') }
}

/** Some registries and all mirrors answer a bare 404. */
function asManifestUnknown(error: unknown): unknown {
  if (!(error instanceof Error) || !('details' in error) || !('code' in error) || error.code !== 'registry.refused') return error
  const { status } = error.details as { readonly status?: unknown }
  if (status !== 404) return error
  return registryError('registry.manifest_unknown', error.message, {
    cause: error,
    details: { status, said: 'manifest unknown: manifest unknown' },
  })
}
