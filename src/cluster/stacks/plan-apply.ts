import {
  canonical,
  keyOf,
  type HistoryEvent,
  type RevisionParts,
  type RevisionRecord,
  type ServiceRecord,
  type StackRecord,
} from '#cluster/model'
import { askedEvents, createdEvent, createdService, updatedEvents, updatedService, type ServiceWish } from '#cluster/services'
import type { StackSpec } from '#cluster/spec'
import type { Transaction } from '#cluster/store'

import { describeChanges } from './changes.ts'
import { stackError } from './errors.ts'
import type { StackChange } from './port.ts'
import { serviceName, wishOf } from './wishes.ts'

/** A service of the stack as it stands in the store. */
export interface KnownService {
  readonly service: ServiceRecord
  /** Of the store, when the service was last written. */
  readonly version: number
  readonly revisions: readonly RevisionRecord[]
}

export interface ApplyInput {
  readonly before: { readonly record: StackRecord; readonly version: number } | undefined
  readonly spec: StackSpec
  /** Content id by service; absent: not found. */
  readonly images: Readonly<Record<string, string>>
  readonly chosenPorts: Readonly<Record<string, number>>
  /** Of what each service mounts. */
  readonly versions: Readonly<Record<string, RevisionParts['versions']>>
  readonly known: readonly KnownService[]
  /** Names that services of others have. */
  readonly taken: ReadonlySet<string>
  /** Of the store, by the name of a service: when somebody last took it. */
  readonly nameVersions: ReadonlyMap<string, number>
  /** Ids of services of which nothing has failed: asking for the same again changes nothing of them. Absent: none is known to be so. */
  readonly calm?: ReadonlySet<string>
  readonly nowMs: number
  /** Who asks. Absent: nobody knows. */
  readonly by?: string
  readonly newId: () => string
}

export interface ApplyPlan {
  /** All of it or nothing: there is no stack that was applied in part. */
  readonly transaction: Transaction
  readonly change: StackChange
  readonly wishes: readonly ServiceWish[]
  /** For the history of each service. */
  readonly happened: readonly { readonly service: ServiceRecord; readonly events: readonly HistoryEvent[] }[]
}

/**
 * What applying a version of a stack writes: its own record, one service for each of the file with a revision where it differs, and the removal of those that the file
 * has no longer. Pure. Errors: `stack.name_taken`, `service.too_many_tasks`.
 */
export function planApply(input: ApplyInput): ApplyPlan {
  const { spec, nowMs } = input
  const draft = nextRecord(input)
  const puts: { key: string; value: unknown }[] = []
  const conditions: { key: string; revision: number }[] = [
    { key: keyOf('stack', spec.name), revision: input.before?.version ?? 0 },
  ]
  const awaited: Record<string, string | null> = {}
  let isChanged = input.before === undefined || canonical(input.before.record.spec) !== canonical(spec)
  const put = ({ service, revision }: { readonly service: ServiceRecord; readonly revision: RevisionRecord | null }): void => {
    puts.push({ key: keyOf('service', service.id), value: service })
    if (revision === null) return
    puts.push({ key: keyOf('revision', service.id, revision.number), value: revision })
    conditions.push({ key: keyOf('revision', service.id, revision.number), revision: 0 })
  }
  const wishes = spec.services.map((service) => {
    const wish = wishOf(draft, service, imageOf(input, service.name), input.versions[service.name] ?? {})
    // Tasks that were made anew by hand need not be made anew again.
    const forced = forcedOf(input, wish.name)
    return { ...wish, by: input.by ?? wish.by, ...(forced === undefined ? {} : { forced }) }
  })
  const revisions: Record<string, number> = {}
  const happened: { service: ServiceRecord; events: readonly HistoryEvent[] }[] = []
  for (const wish of wishes) {
    const { name } = wish.spec
    if (input.taken.has(wish.name)) throw taken(wish)
    const known = input.known.find((one) => one.service.name === wish.name)
    if (known === undefined) {
      const made = createdService(input.newId(), wish, nowMs)
      const nameKey = keyOf('name', 'service', wish.name)
      conditions.push({ key: nameKey, revision: input.nameVersions.get(wish.name) ?? 0 })
      puts.push({ key: nameKey, value: { id: made.service.id } })
      put(made)
      revisions[wish.name] = made.service.revision
      happened.push({ service: made.service, events: [createdEvent(made.service, wish)] })
      isChanged = true
      continue
    }
    conditions.push({ key: keyOf('service', known.service.id), revision: known.version })
    const mode = wantedRevision(known)?.spec.mode
    if (known.service.state === 'removing' || (mode !== undefined && mode !== wish.spec.mode)) {
      awaited[name] = wish.imageId
      isChanged ||= input.before?.record.awaited[name] !== wish.imageId
      if (known.service.state !== 'removing') put({ service: removed(known.service, nowMs), revision: null })
      continue
    }
    const updated = updatedService(known.service, known.revisions, wish, nowMs)
    isChanged ||= updated.isChanged
    revisions[wish.name] = updated.service.revision
    if (!updated.isChanged && input.calm?.has(known.service.id) === true) continue
    put(updated)
    happened.push({ service: updated.service, events: updatedEvents(known.service, known.revisions, updated) })
  }
  const wanted = new Set(wishes.map(({ name }) => name))
  for (const { service, version } of input.known) {
    if (wanted.has(service.name) || service.state === 'removing') continue
    conditions.push({ key: keyOf('service', service.id), revision: version })
    const gone = removed(service, nowMs)
    put({ service: gone, revision: null })
    happened.push({ service: gone, events: askedEvents('remove', service, gone) })
    isChanged = true
  }
  const revision = (input.before?.record.revision ?? 0) + (isChanged ? 1 : 0)
  const record: StackRecord = { ...draft, awaited, revision }
  const isSame =
    input.before !== undefined &&
    canonical({ ...record, updatedAtMs: 0 }) === canonical({ ...input.before.record, updatedAtMs: 0 })
  if (!isSame) puts.push({ key: keyOf('stack', spec.name), value: record })
  const knownWishes = new Map(
    input.known.flatMap((one) => {
      const known = wantedRevision(one)
      if (known === undefined || one.service.state === 'removing') return []
      return [[known.spec.name, { spec: known.spec, replicas: one.service.replicas, imageId: known.imageId }] as const]
    }),
  )
  const missing = wishes.filter(({ imageId }) => imageId === null)
  const change = {
    name: spec.name,
    revision,
    isChanged,
    revisions,
    changes: isChanged ? describeChanges(input.before?.record, record, knownWishes, wishes) : [],
    warnings: missing.map((wish) => `${wish.spec.name}: the image ${wish.spec.task.image} is not here yet`),
  }
  return { transaction: { conditions, puts }, change, wishes, happened }
}

function nextRecord({ before, spec, chosenPorts, nowMs }: ApplyInput): StackRecord {
  const old = before?.record
  return {
    spec,
    revision: old?.revision ?? 0,
    state: 'active',
    removeVolumes: false,
    chosenPorts,
    awaited: {},
    former: { networks: formerOf('networks', old, spec), volumes: formerOf('volumes', old, spec) },
    createdAtMs: old?.createdAtMs ?? nowMs,
    updatedAtMs: nowMs,
  }
}

/** What earlier versions made and this one does not name. */
function formerOf(part: 'networks' | 'volumes', old: StackRecord | undefined, spec: StackSpec): readonly string[] {
  const now = new Set(spec[part].map(({ name }) => name))
  const made = [
    ...(old?.former[part] ?? []),
    ...(old?.spec[part] ?? []).filter(({ isExternal }) => !isExternal).map(({ name }) => name),
  ]
  return [...new Set(made)].filter((name) => !now.has(name))
}

function forcedOf({ known }: ApplyInput, name: string): number | undefined {
  const there = known.find(({ service }) => service.name === name)
  return there === undefined ? undefined : wantedRevision(there)?.forced
}

/** An image that is not here any more, but was when the same words were said before, is still that one. */
function imageOf({ images, known, spec }: ApplyInput, name: string): string | null {
  const found = images[name]
  if (found !== undefined) return found
  const before = known.find(({ service }) => service.name === serviceName(spec.name, name))
  const wanted = before === undefined ? undefined : wantedRevision(before)
  const reference = spec.services.find((service) => service.name === name)?.task.image
  return wanted?.spec.task.image === reference ? (wanted?.imageId ?? null) : null
}

export function wantedRevision({ service, revisions }: Pick<KnownService, 'service' | 'revisions'>): RevisionRecord | undefined {
  return revisions.find(({ number }) => number === service.revision)
}

export function removed(service: ServiceRecord, nowMs: number): ServiceRecord {
  return { ...service, state: 'removing', updatedAtMs: nowMs }
}

function taken({ name, spec, stack }: ServiceWish) {
  return stackError(
    'stack.name_taken',
    `service ${spec.name} of ${stack} would be called ${name}, and there is another service of that name`,
    {
      hint: 'Give the stack or the service another name, or remove the other service.',
    },
  )
}
