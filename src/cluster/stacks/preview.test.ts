import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import fc from 'fast-check'

import type { StackRecord } from '#cluster/model'
import { createdService } from '#cluster/services'
import type { StackSpec, VolumeSpec } from '#cluster/spec'

import { serviceSpec, type ServiceChoice } from '../../../test/sim/specs.ts'
import { planApply, type ApplyInput, type KnownService } from './plan-apply.ts'
import { previewApply, previewRemoval } from './preview.ts'
import { wishOf } from './wishes.ts'

const volume = (name: string): VolumeSpec => ({
  key: name,
  name: `shop_${name}`,
  isExternal: false,
  driverOptions: {},
  labels: {},
})

function stackOf(choices: readonly ServiceChoice[]): StackSpec {
  return {
    name: 'shop',
    workingDir: '/srv',
    configFiles: [],
    services: choices.map(serviceSpec),
    networks: [],
    volumes: [volume('data')],
    secrets: [],
    configs: [],
  }
}

function recordOf(spec: StackSpec, former: Partial<StackRecord['former']> = {}): StackRecord {
  const times = { createdAtMs: 0, updatedAtMs: 0 }
  const plain = { revision: 1, state: 'active', removeVolumes: false, chosenPorts: {}, awaited: {} } as const
  return { ...plain, ...times, spec, former: { networks: [], volumes: [], ...former } }
}

function knownOf(record: StackRecord): readonly KnownService[] {
  return record.spec.services.map((service) => {
    const { service: made, revision } = createdService(
      `id-${service.name}`,
      wishOf(record, service, `sha256:${service.name}`, {}),
      0,
    )
    return { service: made, version: 1, revisions: revision === null ? [] : [revision] }
  })
}

function input(before: StackSpec, after: StackSpec): ApplyInput {
  const record = recordOf(before)
  return {
    before: { record, version: 1 },
    spec: after,
    images: Object.fromEntries(after.services.map(({ name }) => [name, `sha256:${name}`])),
    chosenPorts: {},
    versions: {},
    known: knownOf(record),
    taken: new Set(),
    nameVersions: new Map(),
    nowMs: 1000,
    newId: () => 'new',
  }
}

const choice: fc.Arbitrary<ServiceChoice> = fc.record({
  name: fc.constantFrom('web', 'db', 'cache'),
  image: fc.constantFrom('good:1', 'good:2'),
  replicas: fc.nat(3),
})
const stack = fc.uniqueArray(choice, { selector: ({ name }) => name }).map(stackOf)

describe('what applying a version of a stack is said to change', () => {
  it('is nothing exactly when applying it changes nothing', () => {
    fc.assert(
      fc.property(stack, stack, (before, after) => {
        const applied = input(before, after)
        assert.equal(previewApply(applied, {}).operations.length > 0, planApply(applied).change.isChanged)
        assert.deepEqual(previewApply(input(before, before), {}).operations, [])
      }),
    )
  })

  it('is a service for each that comes, goes or changes', () => {
    const before = stackOf([{ name: 'web' }, { name: 'db' }])
    const after = stackOf([{ name: 'web', image: 'good:2' }, { name: 'cache' }])
    const lines = previewApply(input(before, after), {}).operations.map(({ action, name }) => `${action} ${name}`)
    assert.deepEqual(lines, ['create shop_cache', 'change shop_web', 'remove shop_db'])
  })
})

describe('what removing a stack takes away', () => {
  it('is its data only when that is said, and that of earlier versions too', () => {
    const record = recordOf(stackOf([{ name: 'web' }]), { volumes: ['shop_old'] })
    const lost = (removesVolumes: boolean) =>
      previewRemoval(record, knownOf(record), {}, removesVolumes)
        .operations.filter(({ deletesData }) => deletesData)
        .map(({ name }) => name)
        .toSorted()
    assert.deepEqual(lost(false), [])
    assert.deepEqual(lost(true), ['shop_data', 'shop_old'])
  })
})
