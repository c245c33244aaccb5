import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import fc from 'fast-check'

import { keyOf, type RevisionRecord, type ServiceRecord, type StackRecord } from '#cluster/model'
import type { StackSpec } from '#cluster/spec'

import { serviceSpec } from '../../../test/sim/specs.ts'
import { planApply, type ApplyInput, type ApplyPlan } from './plan-apply.ts'

const services = fc.uniqueArray(
  fc.record({
    name: fc.constantFrom('web', 'db', 'job'),
    image: fc.constantFrom('good:1', 'good:2'),
    replicas: fc.integer({ min: 0, max: 3 }),
    mode: fc.constantFrom('replicated' as const, 'global' as const),
    network: fc.constantFrom('default', 'inside'),
  }),
  { selector: ({ name }) => name },
)

type Drawn = typeof services extends fc.Arbitrary<infer T> ? T : never

function specOf(drawn: Drawn): StackSpec {
  const network = (key: string) => ({ key, name: `shop_${key}`, isExternal: false, isInternal: false, subnets: [], labels: {} })
  const used = [...new Set(drawn.map((one) => one.network))]
  return {
    name: 'shop',
    workingDir: '/srv',
    configFiles: [],
    services: drawn.map(({ network: key, ...choice }) => {
      const spec = serviceSpec(choice)
      return { ...spec, task: { ...spec.task, networks: [{ network: key, aliases: [] }] } }
    }),
    networks: used.map(network),
    volumes: [],
    secrets: [],
    configs: [],
  }
}

/** The store, as far as a stack is concerned. */
function stackRecords() {
  const table = new Map<string, { readonly value: unknown; readonly revision: number }>()
  let revision = 0
  let ids = 0
  const values = <T>(kind: string) =>
    [...table].flatMap(([key, entry]) => (key.startsWith(`${kind}/`) ? [{ key, ...entry, value: entry.value as T }] : []))
  return {
    stack: () => table.get('stack/shop')?.value as StackRecord,
    names: () => values<ServiceRecord>('service').flatMap(({ value }) => (value.state === 'removing' ? [] : [value.name])),
    input: (spec: StackSpec): ApplyInput => {
      const [before] = values<StackRecord>('stack')
      const revisions = values<RevisionRecord>('revision').map(({ value }) => value)
      return {
        before: before === undefined ? undefined : { record: before.value, version: before.revision },
        spec,
        images: Object.fromEntries(spec.services.map(({ name, task }) => [name, `sha256:${task.image}`])),
        chosenPorts: {},
        versions: {},
        known: values<ServiceRecord>('service').map(({ value, revision: version }) => ({
          service: value,
          version,
          revisions: revisions.filter(({ serviceId }) => serviceId === value.id),
        })),
        taken: new Set(),
        nameVersions: new Map(values('name').map(({ key, revision: version }) => [key.slice('name/service/'.length), version])),
        nowMs: 1,
        newId: () => `s${(ids += 1)}`,
      }
    },
    write: ({ transaction }: ApplyPlan): void => {
      for (const wanted of transaction.conditions ?? [])
        assert.equal(table.get(wanted.key)?.revision ?? 0, wanted.revision, wanted.key)
      revision += 1
      for (const { key, value } of transaction.puts ?? []) table.set(key, { value, revision })
    },
    /** Those that are to go are gone. */
    settle: (): void => {
      for (const { key, value } of values<ServiceRecord>('service')) {
        if (value.state !== 'removing') continue
        table.delete(key)
        table.delete(keyOf('name', 'service', value.name))
        for (const other of table.keys()) if (other.startsWith(`revision/${value.id}/`)) table.delete(other)
      }
    },
  }
}

describe('applying a stack', () => {
  it('leads from any version to any other, and the same again is no change', () => {
    fc.assert(
      fc.property(fc.array(services, { minLength: 1, maxLength: 4 }), fc.boolean(), (versions, isPatient) => {
        const records = stackRecords()
        for (const drawn of versions) {
          const spec = specOf(drawn)
          records.write(planApply(records.input(spec)))
          if (isPatient) records.settle()
          const there = new Set([...records.names(), ...Object.keys(records.stack().awaited).map((name) => `shop_${name}`)])
          assert.deepEqual([...there].toSorted(), drawn.map(({ name }) => `shop_${name}`).toSorted())
          const { former } = records.stack()
          assert.ok(former.networks.every((name) => !spec.networks.some((network) => network.name === name)))
        }
        const last = specOf(versions.at(-1) ?? [])
        records.settle()
        records.write(planApply(records.input(last)))
        const { revision } = records.stack()
        const again = planApply(records.input(last))
        assert.deepEqual([again.change.isChanged, again.change.changes, again.change.revision], [false, [], revision])
        assert.ok((again.transaction.puts ?? []).every(({ key }) => key.startsWith('service/')))
        assert.ok(again.happened.every(({ events }) => events.length === 0))
      }),
    )
  })
})
