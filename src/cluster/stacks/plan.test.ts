import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import fc from 'fast-check'

import type { ServiceRecord, StackRecord } from '#cluster/model'

import { planStacks, type StackSnapshot, type StackStep } from './plan.ts'

const NETWORKS = ['a', 'b', 'c'] as const

const part = (name: string, isExternal: boolean) => ({
  key: name,
  name,
  isExternal,
  isInternal: false,
  subnets: [],
  labels: {},
  driverOptions: {},
})

/** Two stacks that may name the same networks and volumes. */
const stacks = fc.uniqueArray(
  fc.record({
    name: fc.constantFrom('shop', 'blog'),
    state: fc.constantFrom('active' as const, 'removing' as const),
    removeVolumes: fc.boolean(),
    own: fc.subarray([...NETWORKS]),
    external: fc.subarray([...NETWORKS]),
    former: fc.subarray([...NETWORKS]),
    services: fc.subarray(['web', 'db']),
    awaited: fc.subarray(['web', 'db']),
  }),
  { selector: ({ name }) => name, minLength: 1 },
)

type Drawn = typeof stacks extends fc.Arbitrary<readonly (infer T)[]> ? T : never

function recordOf({ name, state, removeVolumes, own, external, former, awaited }: Drawn): StackRecord {
  const parts = [
    ...own.map((one) => part(one, false)),
    ...external.filter((one) => !own.includes(one)).map((one) => part(one, true)),
  ]
  const named = new Set(parts.map((one) => one.name))
  const old = former.filter((one) => !named.has(one))
  const spec = { name, workingDir: '', configFiles: [], services: [], networks: parts, volumes: parts, secrets: [], configs: [] }
  return {
    spec,
    revision: 1,
    state,
    removeVolumes,
    chosenPorts: {},
    awaited: Object.fromEntries(awaited.map((service) => [service, null])),
    former: { networks: old, volumes: old },
    createdAtMs: 0,
    updatedAtMs: 0,
  }
}

function serviceOf(stack: string, name: string): ServiceRecord {
  const fixed = { labels: {}, revision: 1, previousRevision: null, replicas: 1, state: 'removing', rollout: null } as const
  return { id: `${stack}-${name}`, name: `${stack}_${name}`, stack, ...fixed, createdAtMs: 0, updatedAtMs: 0 }
}

/** What a step does, as somebody else would do it. */
function after(snapshot: StackSnapshot, step: StackStep): StackSnapshot {
  const others = snapshot.stacks.filter(({ spec }) => spec.name !== step.stack.spec.name)
  const now = snapshot.stacks.find(({ spec }) => spec.name === step.stack.spec.name)
  switch (step.type) {
    case 'create-service': {
      const { [step.service]: _made, ...awaited } = now?.awaited ?? {}
      return { ...snapshot, stacks: now === undefined ? others : [...others, { ...now, awaited }] }
    }
    case 'remove-service':
      return snapshot
    case 'remove-network':
      return { ...snapshot, networks: snapshot.networks.filter((name) => name !== step.name) }
    case 'remove-volume':
      return { ...snapshot, volumes: snapshot.volumes.filter((name) => name !== step.name) }
    case 'forget-networks': {
      const networks = now?.former.networks.filter((name) => !step.names.includes(name)) ?? []
      return { ...snapshot, stacks: now === undefined ? others : [...others, { ...now, former: { ...now.former, networks } }] }
    }
    case 'forget-stack':
      return { ...snapshot, stacks: others }
  }
}

describe('what is left to do for stacks', () => {
  it('comes to an end, and takes away only what is theirs and nobody uses', () => {
    fc.assert(
      fc.property(stacks, fc.subarray([...NETWORKS]), (drawn, used) => {
        let snapshot: StackSnapshot = {
          stacks: drawn.map(recordOf),
          services: drawn.flatMap(({ name, services }) => services.map((service) => serviceOf(name, service))),
          networks: NETWORKS,
          volumes: NETWORKS,
          usedNetworks: new Set(used),
        }
        for (let round = 0; ; round += 1) {
          assert.ok(round < 10, 'it does not come to an end')
          const steps = planStacks(snapshot)
          if (steps.length === 0 && snapshot.services.length === 0) break
          for (const step of steps) check(step, snapshot)
          snapshot = steps.reduce(after, snapshot)
          // Services that are on their way out are gone by the next look.
          snapshot = { ...snapshot, services: [] }
        }
        assert.ok(snapshot.stacks.every(({ state, awaited }) => state === 'active' && Object.keys(awaited).length === 0))
      }),
    )
  })
})

function check(step: StackStep, { stacks: all, services, usedNetworks }: StackSnapshot): void {
  const { spec, state, removeVolumes, former } = step.stack
  const isMade = (name: string) =>
    spec.networks.some((one) => one.name === name && !one.isExternal) || former.networks.includes(name)
  const hasServices = services.some(({ stack }) => stack === spec.name)
  if (step.type === 'remove-volume') assert.ok(state === 'removing' && removeVolumes && isMade(step.name))
  if (step.type === 'remove-network') assert.ok(isMade(step.name))
  if (step.type === 'remove-network' && state === 'active') {
    assert.ok(!usedNetworks.has(step.name))
    assert.ok(!all.some((other) => other.state === 'active' && other.spec.networks.some(({ name }) => name === step.name)))
  }
  if (state === 'removing') assert.ok(!hasServices || step.type === 'remove-service')
  if (step.type === 'create-service') assert.ok(!services.some(({ name }) => name === `${spec.name}_${step.service}`))
}
