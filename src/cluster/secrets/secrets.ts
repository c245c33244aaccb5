import { timingSafeEqual } from 'node:crypto'

import { keyedLocks, type Clock, type Random } from '#base'
import { keyOf, prefixOf, type RevisionRecord, type SecretRecord, type ServiceRecord } from '#cluster/model'
import type { ClusterStore, Entry } from '#cluster/store'

import { checkLabels, checkName, checkValue } from './check-secret.ts'
import { secretError } from './errors.ts'
import { exactSecret, findSecret, nameKey, viewOf } from './find-secret.ts'
import { keyRing, type KeyPlace } from './key-ring.ts'
import type {
  NewSecret,
  SecretFile,
  SecretKind,
  SecretMounts,
  Secrets,
  SecretVersions,
  SecretView,
  StackSecrets,
} from './port.ts'
import { partOf, refOf, refsOf, servicesThatUse } from './references.ts'
import { seal } from './seal.ts'

export interface SecretsPorts {
  readonly store: ClusterStore
  readonly clock: Clock
  readonly random: Random
  readonly key: KeyPlace
}

/** Others that change the same one at the same time are few: a person, and a stack that is applied. */
const MAX_TRIES = 16
/** As swarm's ids: 25 letters and digits. */
const ID_LENGTH = 25
const ID_BYTES = 17

export function openSecrets({ store, clock, random, key }: SecretsPorts): Secrets {
  const ring = keyRing(key, random)
  const isEmpty = async () => (await store.range(prefixOf('secret'))).entries.length === 0
  const sealed = seal(ring, random, isEmpty)
  const locks = keyedLocks()

  /** Reads, plans and writes until nobody was quicker. */
  const change = async (
    kind: SecretKind,
    ref: string,
    plan: (entry: Entry<SecretRecord>) => Promise<SecretRecord> | SecretRecord,
  ): Promise<SecretView> => {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const entry = await findSecret(store, kind, ref)
      const value = await plan(entry)
      if (value === entry.value) return viewOf(kind, entry)
      const revision = await store.write({
        conditions: [{ key: entry.key, revision: entry.revision }],
        puts: [{ key: entry.key, value }],
      })
      if (revision !== null) return viewOf(kind, { ...entry, value, revision })
    }
    throw secretError('secret.busy', `${kind} ${ref} is being changed by others all the time`)
  }
  const withValue = async (kind: SecretKind, record: SecretRecord, value: Uint8Array): Promise<SecretRecord> => {
    const previous = { version: record.version, payload: record.payload }
    const next = { ...record, version: record.version + 1, previous, updatedAtMs: clock.nowMs() }
    return { ...next, ...(await sealed.close(kind, next, value)) }
  }
  const create = async (kind: SecretKind, { name, labels, value }: NewSecret): Promise<SecretView> => {
    checkName(kind, name)
    checkValue(kind, name, value)
    checkLabels(kind, name, labels)
    const place = { id: newSecretId(random), version: 1 }
    const nowMs = clock.nowMs()
    const record = { ...place, name, labels, ...(await sealed.close(kind, place, value)), createdAtMs: nowMs, updatedAtMs: nowMs }
    const revision = await store.write({
      conditions: [{ key: nameKey(kind, name), revision: 0 }],
      puts: [
        { key: nameKey(kind, name), value: { id: record.id } },
        { key: keyOf(kind, record.id), value: record },
      ],
    })
    if (revision === null)
      throw secretError('secret.name_in_use', `there is a ${kind} ${name} already`, {
        hint: `\`glovebox ${kind} rotate ${name}\` gives it another value.`,
      })
    return viewOf(kind, { key: keyOf(kind, record.id), value: record, revision, createdRevision: revision })
  }
  const put = async (kind: SecretKind, wanted: NewSecret): Promise<SecretView> => {
    checkName(kind, wanted.name)
    checkValue(kind, wanted.name, wanted.value)
    checkLabels(kind, wanted.name, wanted.labels)
    // Two at once: the second one finds what the first one made.
    return await locks.run(`${kind}/${wanted.name}`, async () => {
      const there = await store.get<{ readonly id: string }>(nameKey(kind, wanted.name))
      if (there === undefined) return await create(kind, wanted)
      return await change(kind, there.value.id, async ({ value: record }) => {
        const hasLabels = sameLabels(record.labels, wanted.labels)
        const labelled = hasLabels ? record : { ...record, labels: wanted.labels, updatedAtMs: clock.nowMs() }
        return sameBytes(await sealed.open(kind, record), wanted.value) ? labelled : await withValue(kind, labelled, wanted.value)
      })
    })
  }
  const foresee = async (kind: SecretKind, name: string, value: Uint8Array): Promise<number> => {
    checkValue(kind, name, value)
    const there = await store.get<{ readonly id: string }>(nameKey(kind, name))
    if (there === undefined) return 1
    const { value: record } = await findSecret(store, kind, there.value.id)
    return sameBytes(await sealed.open(kind, record), value) ? record.version : record.version + 1
  }
  const usersOf = async (kind: SecretKind, { value }: Entry<SecretRecord>) => {
    const services = await store.range<ServiceRecord>(prefixOf('service'))
    const revisions = await store.range<RevisionRecord>(prefixOf('revision'))
    const records = ({ entries }: { readonly entries: readonly Entry<never>[] }) => entries.map((entry) => entry.value)
    return servicesThatUse(kind, value, records(services as never), records(revisions as never))
  }
  const remove = async (kind: SecretKind, ref: string): Promise<SecretView> => {
    const entry = await findSecret(store, kind, ref)
    const { name } = entry.value
    const users = await usersOf(kind, entry)
    if (users.length > 0)
      throw secretError(
        'secret.in_use',
        `${kind} ${name} is in use by the service${users.length > 1 ? 's' : ''} ${users.join(', ')}`,
        {
          hint: 'Remove the services, or update them so that they do not mount it.',
          details: { services: users },
        },
      )
    const removed = await store.write({
      conditions: [{ key: entry.key, revision: entry.revision }],
      deletes: [entry.key, nameKey(kind, name)],
    })
    if (removed === null) throw secretError('secret.changed', `${kind} ${name} was changed while it was to be removed`)
    return viewOf(kind, entry)
  }
  const mounted = async (kind: SecretKind, mounts: SecretMounts, stack: StackSecrets | null) => {
    const found = new Map<string, SecretRecord>()
    for (const ref of refsOf(kind, mounts, stack)) {
      const entry = await exactSecret(store, kind, ref)
      if (entry !== undefined) found.set(ref, entry.value)
    }
    return found
  }
  const filesOf = async (
    kind: SecretKind,
    mounts: SecretMounts,
    stack: StackSecrets | null,
    versions: SecretVersions,
  ): Promise<readonly SecretFile[]> => {
    const found = await mounted(kind, mounts, stack)
    return await Promise.all(
      mounts[partOf(kind)].map(async ({ secret, target, uid, gid, mode }) => {
        const ref = refOf(kind, secret, stack)
        const record = found.get(ref)
        if (record === undefined)
          throw secretError('secret.not_found', `${kind} ${ref}, which is to be at ${target}, not found`, {
            hint: `Make it: \`glovebox ${kind} create ${ref} FILE\`.`,
          })
        const origin = `${kind}/${record.name}`
        const wanted = ofVersion(record, versions[origin])
        return { target, uid, gid, mode, content: await sealed.open(kind, wanted), origin, version: wanted.version }
      }),
    )
  }

  return {
    create,
    put,
    foresee,
    rotate: async (kind, ref, value) => {
      checkValue(kind, ref, value)
      return await change(kind, ref, async (entry) => await withValue(kind, entry.value, value))
    },
    setLabels: async (kind, ref, labels, atRevision) => {
      checkLabels(kind, ref, labels)
      return await change(kind, ref, ({ value, revision }) => {
        if (atRevision !== undefined && atRevision !== revision)
          throw secretError('secret.changed', `${kind} ${value.name} was changed: it is at ${revision}, not at ${atRevision}`)
        return { ...value, labels, updatedAtMs: clock.nowMs() }
      })
    },
    list: async (kind) => {
      const { entries } = await store.range<SecretRecord>(prefixOf(kind))
      return entries.map((entry) => viewOf(kind, entry)).toSorted((a, b) => (a.name < b.name ? -1 : 1))
    },
    inspect: async (kind, ref) => viewOf(kind, await findSecret(store, kind, ref)),
    remove,
    usersOf: async (kind, ref) => await usersOf(kind, await findSecret(store, kind, ref)),
    configValue: async (ref) => await sealed.open('config', (await findSecret(store, 'config', ref)).value),
    files: async (mounts, stack, versions = {}) => [
      ...(await filesOf('secret', mounts, stack, versions)),
      ...(await filesOf('config', mounts, stack, versions)),
    ],
    versions: async (mounts, stack) => {
      const versions: Record<string, number> = {}
      for (const kind of ['secret', 'config'] as const)
        for (const { name, version } of (await mounted(kind, mounts, stack)).values()) versions[`${kind}/${name}`] = version
      return versions
    },
    rotateKey: async () =>
      await locks.run('key', async () => {
        await ring.renew(isEmpty)
        let secrets = 0
        for (const { value } of (await store.range<SecretRecord>(prefixOf('secret'))).entries) {
          await change('secret', value.id, async ({ value: record }) => {
            const renewed = await sealed.renew(record)
            const previous = record.previous === undefined ? null : await sealed.renew({ ...record, ...record.previous })
            if (renewed === null && previous === null) return record
            secrets += 1
            const before =
              record.previous === undefined
                ? {}
                : { previous: { ...record.previous, payload: previous?.payload ?? record.previous.payload } }
            return { ...record, ...renewed, ...before }
          }).catch(ignoreRemoved)
        }
        ring.retire()
        return { secrets }
      }),
  }
}

/** The record as it was at that version, if that is the one before; else as it is. */
function ofVersion(record: SecretRecord, version: number | undefined): SecretRecord {
  return version !== undefined && record.previous?.version === version ? { ...record, ...record.previous } : record
}

/** One that was removed meanwhile needs no new key. */
function ignoreRemoved(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'secret.not_found')) throw error
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other)
}

function sameLabels(one: NewSecret['labels'], other: NewSecret['labels']): boolean {
  const keys = Object.keys(one)
  return keys.length === Object.keys(other).length && keys.every((key) => one[key] === other[key])
}

function newSecretId(random: Random): string {
  return BigInt(`0x${random.bytes(ID_BYTES).toString('hex')}`)
    .toString(36)
    .padStart(ID_LENGTH, '0')
    .slice(-ID_LENGTH)
}
