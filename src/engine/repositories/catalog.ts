import type { Digest, RecordStore } from '#base'

/** A blob that a repository holds, under the digest that its client gave. */
export interface BlobRow {
  /** What the content store calls it. */
  readonly stored: Digest
  readonly sizeBytes: number
  readonly atMs: number
}

export interface ManifestRow {
  readonly stored: Digest
  readonly mediaType: string
  readonly sizeBytes: number
  readonly artifactType: string
  readonly annotations: Readonly<Record<string, string>>
  /** null: names none. */
  readonly subject: string | null
  /** Digests of configuration and layers. */
  readonly blobs: readonly string[]
  /** Digests of the manifests of an index. */
  readonly manifests: readonly string[]
  readonly atMs: number
}

export interface TagRow {
  readonly digest: string
  readonly atMs: number
}

export interface RepositoryRows {
  readonly blobs: Map<string, BlobRow>
  readonly manifests: Map<string, ManifestRow>
  readonly tags: Map<string, TagRow>
}

type Kind = keyof RepositoryRows
type AnyRow = BlobRow | ManifestRow | TagRow
type RowOf<K extends Kind> = RepositoryRows[K] extends Map<string, infer Row> ? Row & AnyRow : never

/**
 * All rows in memory, each change written through. Rows of a repository are keyed `NAME KEY`: neither names nor tags nor digests hold
 * a space.
 */
export interface Catalog {
  readonly repositories: ReadonlyMap<string, RepositoryRows>
  put<K extends Kind>(kind: K, name: string, key: string, row: RowOf<K>): void
  delete(kind: Kind, name: string, key: string): void
  atomically<R>(work: () => R): R
  /** How many rows name a stored blob. */
  usersOf(stored: Digest): number
  stored(): ReadonlySet<Digest>
}

export function openCatalog(records: RecordStore): Catalog {
  const tables = {
    blobs: records.table<BlobRow>('registry-blobs'),
    manifests: records.table<ManifestRow>('registry-manifests'),
    tags: records.table<TagRow>('registry-tags'),
  }
  const repositories = new Map<string, RepositoryRows>()
  const users = new Map<Digest, number>()
  const count = (row: AnyRow | undefined, by: 1 | -1) => {
    if (row === undefined || !('stored' in row)) return
    const left = (users.get(row.stored) ?? 0) + by
    if (left === 0) users.delete(row.stored)
    else users.set(row.stored, left)
  }
  const rowsOf = (name: string): RepositoryRows => {
    const known = repositories.get(name) ?? { blobs: new Map(), manifests: new Map(), tags: new Map() }
    repositories.set(name, known)
    return known
  }
  const keep = (kind: Kind, name: string, key: string, row: AnyRow) => {
    const rows: Map<string, AnyRow> = rowsOf(name)[kind]
    count(rows.get(key), -1)
    rows.set(key, row)
    count(row, 1)
  }
  for (const kind of ['blobs', 'manifests', 'tags'] as const)
    for (const [key, row] of tables[kind].entries()) {
      const space = key.indexOf(' ')
      keep(kind, key.slice(0, space), key.slice(space + 1), row)
    }
  return {
    repositories,
    put: (kind, name, key, row) => {
      const table: { put(at: string, value: AnyRow): void } = tables[kind]
      table.put(`${name} ${key}`, row)
      keep(kind, name, key, row)
    },
    delete: (kind, name, key) => {
      const rows = repositories.get(name)
      if (rows?.[kind].has(key) !== true) return
      tables[kind].delete(`${name} ${key}`)
      count(rows[kind].get(key), -1)
      rows[kind].delete(key)
      if (rows.blobs.size + rows.manifests.size + rows.tags.size === 0) repositories.delete(name)
    },
    atomically: (work) => records.atomically(work),
    usersOf: (stored) => users.get(stored) ?? 0,
    stored: () => new Set(users.keys()),
  }
}
