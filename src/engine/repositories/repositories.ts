import { join } from 'node:path'

import { invariant, isKind, keyedLocks, type Clock, type Digest, type Random, type RecordStore } from '#base'
import { createContent } from '#engine/content'
import { digestError, parseDigest, type VerifiableDigest } from '#oci/digest'

import { openCatalog, type BlobRow, type ManifestRow, type RepositoryRows } from './catalog.ts'
import { repositoryError } from './errors.ts'
import { MAX_MANIFEST_BYTES } from './limits.ts'
import { digestIn, readManifest, refuseMissing } from './manifests.ts'
import { checkDigest, checkName, checkTag, isDigestReference } from './names.ts'
import { pageOf } from './page.ts'
import type { CollectedItem, CollectReport, ManifestRecord, Repositories } from './port.ts'
import { checkRule, planRetention } from './retention-plan.ts'
import { createUploads } from './uploads.ts'

export interface RepositoriesNeeds {
  /** The engine's directory; the registry's is `registry` in it. */
  readonly root: string
  readonly records: RecordStore
  readonly clock: Clock
  readonly random: Random
}

export function createRepositories(needs: RepositoriesNeeds): Repositories {
  const { clock, records } = needs
  const root = join(needs.root, 'registry')
  const content = createContent({ root })
  const catalog = openCatalog(records)
  const uploads = createUploads({ directory: join(root, 'uploads'), records, clock, random: needs.random })
  // By stored digest: bytes are taken in, and removed when their last row goes, one at a time.
  const locks = keyedLocks()

  const rowsOf = (name: string): RepositoryRows => {
    const rows = catalog.repositories.get(checkName(name))
    if (rows !== undefined) return rows
    throw repositoryError('repository.unknown', `there is no repository ${name}`)
  }
  const blobRow = (name: string, digest: string): BlobRow => {
    const { text } = checkDigest(digest)
    const row = catalog.repositories.get(checkName(name))?.blobs.get(text)
    if (row !== undefined) return row
    throw repositoryError('repository.blob_unknown', `${name} has no blob ${text}`)
  }
  const manifestRow = (name: string, reference: string): { readonly digest: string; readonly row: ManifestRow } => {
    const rows = catalog.repositories.get(checkName(name))
    const key = isDigestReference(reference) ? checkDigest(reference).text : checkTag(reference)
    const digest = isDigestReference(reference) ? key : rows?.tags.get(key)?.digest
    const row = digest === undefined ? undefined : rows?.manifests.get(digest)
    if (digest !== undefined && row !== undefined) return { digest, row }
    throw repositoryError('repository.manifest_unknown', `${name} has no manifest ${reference}`)
  }
  const recordOf = (name: string, digest: string, row: ManifestRow): ManifestRecord => {
    const tags = [...rowsOf(name).tags].flatMap(([tag, target]) => (target.digest === digest ? [tag] : []))
    return { digest, mediaType: row.mediaType, sizeBytes: row.sizeBytes, tags: tags.toSorted(), pushedAtMs: row.atMs }
  }
  /** Bytes whose last row is gone. */
  const release = async (stored: Digest): Promise<number> =>
    await locks.run(stored, async () => {
      const sizeBytes = content.stat(stored)?.sizeBytes ?? 0
      if (catalog.usersOf(stored) > 0) return 0
      await content.delete(stored)
      return sizeBytes
    })
  const dropManifest = (name: string, digest: string) => {
    const tags = [...(catalog.repositories.get(name)?.tags ?? [])].filter(([, target]) => target.digest === digest)
    catalog.atomically(() => {
      for (const [tag] of tags) catalog.delete('tags', name, tag)
      catalog.delete('manifests', name, digest)
    })
  }
  const takeBlob = async (
    name: string,
    digest: VerifiableDigest,
    stored: Digest,
    take: () => Promise<{ readonly sizeBytes: number }>,
  ) =>
    await locks.run(stored, async () => {
      const { sizeBytes } = await take()
      catalog.put('blobs', name, digest.text, { stored, sizeBytes, atMs: clock.nowMs() })
      return { digest: digest.text, sizeBytes }
    })
  /** Asked for or mounted: a client is about to push a manifest that names it, so its grace begins anew. */
  const renew = (name: string, digest: string, row: BlobRow) => {
    catalog.repositories.get(name)?.blobs.set(digest, { ...row, atMs: clock.nowMs() })
  }

  /** Takes the row away; gives the stored bytes that it named. */
  const dropRow = ({ kind, repository: name, name: key }: CollectedItem): Digest | undefined => {
    const rows = catalog.repositories.get(name)
    if (kind === 'tag') catalog.delete('tags', name, key)
    if (kind !== 'manifest' && kind !== 'blob') return undefined
    const stored = kind === 'manifest' ? rows?.manifests.get(key)?.stored : rows?.blobs.get(key)?.stored
    if (kind === 'manifest') dropManifest(name, key)
    else catalog.delete('blobs', name, key)
    return stored
  }

  return {
    list: (page) => pageOf([...catalog.repositories.keys()], page),
    tags: (name, page) => pageOf([...rowsOf(name).tags.keys()], page),
    manifests: (name) => [...rowsOf(name).manifests].map(([digest, row]) => recordOf(name, digest, row)),
    statManifest: (name, reference) => {
      const { digest, row } = manifestRow(name, reference)
      return recordOf(name, digest, row)
    },
    getManifest: async (name, reference) => {
      const { digest, row } = manifestRow(name, reference)
      return { digest, mediaType: row.mediaType, bytes: await content.read(row.stored, MAX_MANIFEST_BYTES) }
    },
    putManifest: async (name, { mediaType, bytes, digest, tags, isCopy = false }) => {
      checkName(name)
      for (const tag of tags) checkTag(tag)
      const found = digestIn(digest?.algorithm ?? 'sha256', bytes)
      if (digest !== undefined && found !== digest.text)
        throw digestError('digest.mismatch', `the manifest has the digest ${found} and not the promised ${digest.text}`)
      const read = readManifest(name, bytes, mediaType)
      const stored = parseDigest(digestIn('sha256', bytes))
      await locks
        .run(stored, async () => {
          await content.put(bytes)
          // Between this look and the record nothing else runs: a collection sees the manifest or has taken the blob before.
          if (!isCopy) refuseMissing(name, read, catalog.repositories.get(name))
          catalog.atomically(() => {
            const atMs = clock.nowMs()
            catalog.put('manifests', name, found, { ...read, stored, atMs })
            for (const tag of tags) catalog.put('tags', name, tag, { digest: found, atMs })
          })
        })
        .catch(async (error: unknown) => {
          await release(stored)
          throw error
        })
      return { digest: found, subject: read.subject ?? undefined }
    },
    deleteManifest: async (name, reference) => {
      const { digest, row } = manifestRow(name, reference)
      if (!isDigestReference(reference)) return catalog.delete('tags', name, reference)
      const holder = [...rowsOf(name).manifests].find(([, { manifests }]) => manifests.includes(digest))
      if (holder !== undefined)
        throw repositoryError('repository.manifest_in_use', `the index ${holder[0]} of ${name} names the manifest ${digest}`, {
          hint: 'Delete the index first.',
        })
      dropManifest(name, digest)
      await release(row.stored)
    },
    referrers: (name, digest, artifactType) => {
      const { text } = checkDigest(digest)
      return [...(catalog.repositories.get(checkName(name))?.manifests ?? [])]
        .filter(([, row]) => row.subject === text && (artifactType === undefined || row.artifactType === artifactType))
        .map(([referrer, { mediaType, sizeBytes, artifactType: type, annotations }]) => {
          return { digest: referrer, mediaType, sizeBytes, artifactType: type, annotations }
        })
    },

    statBlob: (name, digest) => {
      const row = blobRow(name, digest)
      renew(name, digest, row)
      return { digest, sizeBytes: row.sizeBytes }
    },
    blobFile: (name, digest) => {
      const { stored, sizeBytes } = blobRow(name, digest)
      return { path: content.path(stored), sizeBytes }
    },
    openBlob: (name, digest, range) => content.open(blobRow(name, digest).stored, range),
    deleteBlob: async (name, digest) => {
      const { stored } = blobRow(name, digest)
      const holder = [...rowsOf(name).manifests].find(([, { blobs }]) => blobs.includes(digest))
      if (holder !== undefined)
        throw repositoryError('repository.blob_in_use', `the manifest ${holder[0]} of ${name} names the blob ${digest}`, {
          hint: 'Delete the manifest first.',
        })
      catalog.delete('blobs', name, digest)
      await release(stored)
    },
    mountBlob: (name, digest, from) => {
      checkName(name)
      const row = catalog.repositories.get(checkName(from))?.blobs.get(checkDigest(digest).text)
      if (row === undefined) return false
      catalog.put('blobs', name, digest, { ...row, atMs: clock.nowMs() })
      return true
    },
    homesOf: (digest) => [...catalog.repositories].flatMap(([name, { blobs }]) => (blobs.has(digest) ? [name] : [])),

    startUpload: async (name) => await uploads.start(checkName(name)),
    statUpload: async (name, id) => await uploads.stat(checkName(name), id),
    appendUpload: async (name, id, source, options) => await uploads.append(checkName(name), id, source, options),
    finishUpload: async (name, id, digest) =>
      await uploads.finish(checkName(name), id, digest, async ({ path, sha256, sizeBytes }) => {
        const stored = parseDigest(sha256)
        const blob = await takeBlob(name, digest, stored, async () => await content.adopt(path, stored, 'move'))
        invariant(blob.sizeBytes === sizeBytes, `the blob ${sha256} has the bytes of its upload`)
        return blob
      }),
    cancelUpload: async (name, id) => await uploads.cancel(checkName(name), id),
    adoptUpload: async (name, id, { path, digest }) =>
      await uploads.replace(name, id, async () => {
        await takeBlob(name, checkDigest(digest), digest, async () => await content.adopt(path, digest, 'link'))
      }),

    collect: async ({ rules, isDryRun = false }): Promise<CollectReport> => {
      const checked = rules.map(checkRule)
      const removed: CollectedItem[] = uploads
        .idle()
        .map(({ name, id }) => ({ kind: 'upload', repository: name, name: id, reason: 'not continued for a day' }))
      if (!isDryRun) for (const { repository, name } of removed) await uploads.cancel(repository, name).catch(unlessGone)
      let reclaimedBytes = 0
      for (const [name, rows] of [...catalog.repositories]) {
        const { removals } = planRetention(name, rows, checked, clock.nowMs())
        removed.push(...removals)
        if (isDryRun) continue
        // Planned and dropped in one turn: no push comes between. What follows only gives back bytes that nothing names.
        const dropped = catalog.atomically(() => removals.map(dropRow))
        for (const stored of dropped) if (stored !== undefined) reclaimedBytes += await release(stored)
      }
      return { removed, reclaimedBytes }
    },
    usage: () => {
      const stored = [...catalog.stored()]
      return {
        blobCount: stored.length,
        sizeBytes: stored.reduce((sum, digest) => sum + (content.stat(digest)?.sizeBytes ?? 0), 0),
      }
    },
    recover: async () => {
      await content.recover()
      await uploads.recover()
      const named = catalog.stored()
      for (const { digest } of await content.list()) if (!named.has(digest)) await content.delete(digest)
    },
  }
}

/** Somebody else removed it first. */
function unlessGone(error: unknown): void {
  if (!isKind(error, 'not_found') && !isKind(error, 'conflict')) throw error
}
