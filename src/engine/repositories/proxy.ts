import { isKind, keyedLocks, type Clock } from '#base'
import { parseVerifiableDigest, type VerifiableDigest } from '#oci/digest'
import { parseManifest } from '#oci/image'

import { repositoryError } from './errors.ts'
import { isDigestReference } from './names.ts'
import type { ManifestRecord, Repositories } from './port.ts'

/** A tag of another registry may move; it is asked again after this. */
const TAG_FRESH_MS = 60_000

/** What a proxy needs of another registry; implemented by the engine's client. */
export interface ProxyUpstream {
  manifest(
    path: string,
    reference: string,
    signal: AbortSignal,
  ): Promise<{ readonly bytes: Uint8Array; readonly mediaType: string }>
  blob(path: string, digest: VerifiableDigest, sizeBytes: number, signal: AbortSignal): AsyncIterable<Uint8Array>
}

export interface ProxyOf {
  /** Repositories below this name are those of the other registry. */
  readonly prefix: string
  readonly upstream: ProxyUpstream
}

/**
 * Copies of other registries, fetched when they are asked for and kept as if they had been pushed. While the other registry cannot be
 * reached, what was fetched before is served.
 */
export interface Proxy {
  /** Whether a repository is a copy: nobody pushes to it. */
  covers(name: string): boolean
  /** Has a manifest here, as fresh as can be. Errors: those of the other registry, when nothing is here. */
  freshen(name: string, reference: string): Promise<void>
  /**
   * The bytes of a blob that is not here yet, kept when they have all gone by and are right. Several that ask for one blob wait for the
   * first. Undefined: it is of no other registry.
   */
  fetch(name: string, digest: string): Promise<ProxiedBlob | undefined>
}

export interface ProxiedBlob {
  readonly sizeBytes: number
  readonly body: AsyncIterable<Buffer>
}

export function createProxy(repositories: Repositories, proxies: readonly ProxyOf[], clock: Clock): Proxy {
  const freshUntilMs = new Map<string, number>()
  const locks = keyedLocks()
  const find = (name: string) => proxies.find(({ prefix }) => name.startsWith(`${prefix}/`))
  const isHere = (look: () => unknown): boolean => {
    try {
      look()
      return true
    } catch {
      return false
    }
  }
  const freshen = async (name: string, reference: string): Promise<void> => {
    const proxy = find(name)
    if (proxy === undefined) return
    const key = `${name} ${reference}`
    const isThere = () => isHere(() => repositories.statManifest(name, reference))
    // What a digest names never changes.
    if (isThere() && (isDigestReference(reference) || (freshUntilMs.get(key) ?? 0) > clock.monotonicMs())) return
    await locks.run(key, async () => {
      try {
        const path = name.slice(proxy.prefix.length + 1)
        const { bytes, mediaType } = await proxy.upstream.manifest(path, reference, new AbortController().signal)
        const isDigest = isDigestReference(reference)
        await repositories.putManifest(name, {
          mediaType,
          bytes: Buffer.from(bytes),
          tags: isDigest ? [] : [reference],
          ...(isDigest ? { digest: parseVerifiableDigest(reference) } : {}),
          isCopy: true,
        })
        remember(freshUntilMs, key, clock.monotonicMs() + TAG_FRESH_MS)
      } catch (error) {
        if (!isThere()) throw error
      }
    })
  }
  const fetch = async (name: string, digest: string): Promise<ProxiedBlob | undefined> => {
    const proxy = find(name)
    if (proxy === undefined) return undefined
    const sizeBytes = await sizeOf(repositories, name, digest)
    const parsed = parseVerifiableDigest(digest)
    const path = name.slice(proxy.prefix.length + 1)
    async function* keeping(upstream: ProxyUpstream): AsyncGenerator<Buffer> {
      using _turn = await locks.acquire(`${name} ${digest}`)
      // Another that asked first may have brought it.
      if (isHere(() => repositories.statBlob(name, digest))) return yield* repositories.openBlob(name, digest)
      const stop = new AbortController()
      const { id } = await repositories.startUpload(name)
      try {
        for await (const chunk of upstream.blob(path, parsed, sizeBytes, stop.signal)) {
          const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
          await repositories.appendUpload(name, id, once(bytes), {})
          yield bytes
        }
        await repositories.finishUpload(name, id, parsed)
      } finally {
        stop.abort()
        await repositories.cancelUpload(name, id).catch(() => undefined)
      }
    }
    return { sizeBytes, body: keeping(proxy.upstream) }
  }
  return { covers: (name) => find(name) !== undefined, freshen, fetch }
}

async function* once(chunk: Buffer): AsyncGenerator<Buffer> {
  yield chunk
}

/** How long the blob is, as a manifest that names it says. Error: `repository.blob_unknown` when none does. */
async function sizeOf(repositories: Repositories, name: string, digest: string): Promise<number> {
  for (const record of manifestsOf(repositories, name)) {
    const { bytes, mediaType } = await repositories.getManifest(name, record.digest)
    const manifest = parseManifest(bytes, mediaType, `the manifest for ${name}`)
    const blobs = manifest.kind === 'index' ? [] : [manifest.config, ...manifest.layers]
    const found = blobs.find((blob) => blob.digest.text === digest)
    if (found !== undefined) return found.sizeBytes
  }
  throw repositoryError('repository.blob_unknown', `${name} has no manifest that names ${digest}`)
}

function manifestsOf(repositories: Repositories, name: string): readonly ManifestRecord[] {
  try {
    return repositories.manifests(name)
  } catch (error) {
    if (isKind(error, 'not_found')) return []
    throw error
  }
}

/** Tags that were asked for; more than this at once are asked for again. */
const MAX_REMEMBERED = 10_000

function remember(fresh: Map<string, number>, key: string, untilMs: number): void {
  if (fresh.size >= MAX_REMEMBERED) fresh.clear()
  fresh.set(key, untilMs)
}
