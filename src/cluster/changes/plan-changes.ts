import { fieldChanges, withFieldChanges, type FieldChange } from '#cluster/model'

import { effectOf } from './effect.ts'
import type { Operation } from './operation.ts'
import type { Sight } from './sight.ts'
import type { PartKind, Wanted, WantedService } from './wanted.ts'

/** In the order in which they come to be; what goes, goes the other way round. */
const KINDS: readonly PartKind[] = ['secret', 'config', 'network', 'volume', 'service', 'route', 'policy']

/** What makes of one wish the other, and what that means for what runs. Pure; empty exactly when both wishes are equal. */
export function planChanges(before: Wanted, after: Wanted, sight: Sight): readonly Operation[] {
  const all = KINDS.flatMap((kind) => {
    const names = [...new Set([...Object.keys(before[kind]), ...Object.keys(after[kind])])].toSorted()
    return names.flatMap((name) => operationOn(kind, name, { before, after, sight }) ?? [])
  })
  const going = all.filter(({ action }) => action === 'remove').toReversed()
  return [...all.filter(({ action }) => action !== 'remove'), ...going]
}

interface Wishes {
  readonly before: Wanted
  readonly after: Wanted
  readonly sight: Sight
}

function operationOn(kind: PartKind, name: string, wishes: Wishes): Operation | undefined {
  const was = own<unknown>(wishes.before[kind], name)
  const is = own<unknown>(wishes.after[kind], name)
  const fields = fieldChanges(was, is)
  if (fields.length === 0) return undefined
  return {
    kind,
    name,
    action: was === undefined ? 'create' : is === undefined ? 'remove' : isScaling(kind, fields) ? 'scale' : 'change',
    fields,
    effect: kind === 'service' ? serviceEffect(name, wishes) : null,
    deletesData: kind === 'volume' && is === undefined && wishes.sight.removesVolumes && !isExternal(was),
  }
}

function isScaling(kind: PartKind, fields: readonly FieldChange[]): boolean {
  return kind === 'service' && fields.every(({ path }) => path.join('.') === 'spec.replicas')
}

function serviceEffect(name: string, { before, after, sight }: Wishes): Operation['effect'] {
  const service = own(after.service, name)
  return effectOf({
    before: own(before.service, name),
    after: service,
    seen: own(sight.services, name),
    isAwaited: service !== undefined && isAwaited(service, after),
  })
}

function isAwaited({ spec: { name } }: WantedService, { service }: Wanted): boolean {
  return Object.values(service).some(({ spec }) =>
    spec.dependsOn.some((dependency) => dependency.service === name && dependency.condition === 'completed_successfully'),
  )
}

/** What is wanted once all operations are carried out. */
export function afterOperations(before: Wanted, operations: readonly Operation[]): Wanted {
  const parts = new Map(KINDS.map((kind) => [kind, new Map<string, unknown>(Object.entries(before[kind]))]))
  for (const { kind, name, fields } of operations) {
    const next = withFieldChanges(parts.get(kind)?.get(name), fields)
    if (next === undefined) parts.get(kind)?.delete(name)
    else parts.get(kind)?.set(name, next)
  }
  return Object.fromEntries([...parts].map(([kind, ofKind]) => [kind, Object.fromEntries(ofKind)])) as unknown as Wanted
}

function own<T>(parts: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(parts, name) ? parts[name] : undefined
}

function isExternal(part: unknown): boolean {
  return typeof part === 'object' && part !== null && 'isExternal' in part && part.isExternal === true
}
