import assert from 'node:assert/strict'
import { test } from 'node:test'

import { virtualClock } from '#base'
import type { RevisionRecord, StackRecord } from '#cluster/model'

import { serviceSpec, wishFor } from '../../../test/sim/specs.ts'
import type { AssignedTask } from './assigned-task.ts'
import { checkLoop } from './check-loop.ts'
import type { NodeTask } from './node-port.ts'
import { checksOf, LISTEN_PATIENCE_MS, routedPorts } from './routed-ports.ts'

const spec = serviceSpec({ name: 'web', hasIngress: true })
const revision: RevisionRecord = {
  ...{ serviceId: 's1', number: 1, spec, parts: wishFor({ name: 'web' }).parts },
  ...{ imageId: 'sha256:1', templateHash: 'h', createdAtMs: 0, by: 'user' },
}
const container = {
  id: 'c1',
  startedAtMs: 1_700_000_000_000,
  health: 'none',
  addresses: { default: '10.0.0.2' },
} as unknown as NodeTask
const assigned = (ports: readonly number[]): AssignedTask =>
  ({
    task: { id: 't1', status: { isReady: false } },
    revision,
    service: { stack: null },
    routedPorts: ports,
  }) as unknown as AssignedTask

test('ports that are published and those that routes of the stack name are routed, each once', () => {
  const target = { type: 'service', name: 'web', service: 'web', share: 1 } as const
  const routes = [
    { targets: [{ ...target, containerPort: 3000 }] },
    { targets: [{ ...target, service: 'other', containerPort: 4000 }] },
    { targets: [{ ...target, containerPort: 3000 }] },
  ]
  const [published] = routedPorts(revision, undefined)
  assert.ok(published !== undefined)
  assert.deepEqual(routedPorts(revision, { spec: { routes } } as unknown as StackRecord), [published, 3000])
})

test('a task without checks has to listen where it is routed, and one with checks only to pass them', () => {
  assert.deepEqual(checksOf(assigned([3000]), container).startup?.probe, { type: 'tcp', port: 3000 })
  assert.equal(checksOf(assigned([]), container), spec.checks)
  assert.equal(checksOf(assigned([3000]), { ...container, health: 'starting' }), spec.checks)
  assert.equal(checksOf(assigned([3000]), { ...container, addresses: { host: '' } }), spec.checks)
})

test('one that never listens is taken as it is after a while', async () => {
  const clock = virtualClock(container.startedAtMs ?? 0)
  let probes = 0
  const checks = checkLoop({ probe: async () => await Promise.resolve({ isGood: false, output: `${(probes += 1)}` }) }, clock)
  const one = { assigned: assigned([3000]), container }
  const isStarted = () => checks.verdicts().get('t1')?.isStarted
  for (let passedMs = 0; passedMs < LISTEN_PATIENCE_MS; passedMs += 500) {
    checks.look([one], () => undefined)
    assert.equal(isStarted(), false)
    await clock.advance(500)
  }
  assert.ok(probes > 10)
  checks.look([one], () => undefined)
  assert.equal(isStarted(), true)
})
