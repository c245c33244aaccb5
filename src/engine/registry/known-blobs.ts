import type { Digest, RecordStore } from '#base'

import { MAX_FORMS_PER_LAYER, MAX_HOMES_PER_FORM, MAX_REMEMBERED_LAYERS } from './limits.ts'

/** A compressed form of a layer, and where it was seen. */
export interface LayerForm {
  readonly digest: Digest
  readonly sizeBytes: number
  readonly compression: 'none' | 'gzip' | 'zstd'
  /** `localhost:5000/team/web`, newest first. */
  readonly homes: readonly string[]
}

/**
 * Remembers under which digests registries know our layers, so that a push need not compress again what came from, or went to, some registry.
 * Only forms whose bytes were checked against the layer get in. Losing an entry costs time, nothing else.
 */
export interface KnownBlobs {
  /** Newest first. */
  formsOf(diffId: Digest): readonly LayerForm[]
  remember(diffId: Digest, form: Omit<LayerForm, 'homes'>, home: string): void
  /** The registry said that it is not there. */
  forget(diffId: Digest, digest: Digest, home: string): void
}

interface Row {
  readonly forms: readonly LayerForm[]
}

export function openKnownBlobs(records: RecordStore, isStored: (diffId: Digest) => boolean): KnownBlobs {
  const table = records.table<Row>('registry_blob')
  const formsOf = (diffId: Digest) => table.get(diffId)?.forms ?? []
  const write = (diffId: Digest, forms: readonly LayerForm[]) => table.put(diffId, { forms: forms.slice(0, MAX_FORMS_PER_LAYER) })
  return {
    formsOf,
    remember: (diffId, form, home) => {
      const before = formsOf(diffId)
      const same = before.find(({ digest }) => digest === form.digest)
      const homes = [home, ...(same?.homes ?? []).filter((other) => other !== home)].slice(0, MAX_HOMES_PER_FORM)
      write(diffId, [{ ...form, homes }, ...before.filter((other) => other !== same)])
      makeRoom(table, isStored)
    },
    forget: (diffId, digest, home) => {
      const before = formsOf(diffId)
      if (before.length === 0) return
      write(
        diffId,
        before.map((form) => (form.digest === digest ? { ...form, homes: form.homes.filter((other) => other !== home) } : form)),
      )
    },
  }
}

/** First those of layers that are gone, then any: half of the bound stays. */
function makeRoom(table: ReturnType<RecordStore['table']>, isStored: (diffId: Digest) => boolean): void {
  const keys = table.entries().map(([key]) => key)
  if (keys.length <= MAX_REMEMBERED_LAYERS) return
  const gone = keys.filter((key) => !isStored(key as Digest))
  const more = Math.max(0, keys.length - gone.length - MAX_REMEMBERED_LAYERS / 2)
  for (const key of [...gone, ...keys.filter((key) => !gone.includes(key)).slice(0, more)]) table.delete(key)
}
