import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { GloveboxError } from '#base'

import { serviceWish, type WishSurroundings } from './service-wish.ts'

const around: WishSurroundings = { networkName: (ref) => ref, secretName: (_kind, id) => `name-of-${id}`, freePort: () => 30_000 }
const container = { Image: 'busybox' }
const wishOf = (json: Readonly<Record<string, unknown>>) =>
  serviceWish({ Name: 'web', TaskTemplate: { ContainerSpec: container }, ...json }, around)

test('a service that says nothing of itself is one task, restarted always, in the default network', () => {
  const { spec, forced, stack } = wishOf({})
  assert.deepEqual(
    [spec.mode, spec.replicas, spec.restart.condition, forced, stack],
    ['replicated', 1, 'always', undefined, null],
  )
  assert.deepEqual([spec.task.namespaces, spec.task.networks], [{ network: 'bridge' }, []])
})

test('jobs are tried again when they fail, and count what is to be complete', () => {
  const { spec } = wishOf({ Mode: { ReplicatedJob: { TotalCompletions: 5, MaxConcurrent: 2 } } })
  assert.deepEqual([spec.mode, spec.job?.completions, spec.job?.parallelism], ['replicated-job', 5, 2])
  assert.equal(wishOf({ Mode: { GlobalJob: {} } }).spec.mode, 'global-job')
})

test('secrets and configs are files where swarm mode puts them', () => {
  const Secrets = [{ SecretID: 's1', SecretName: 'x', File: { Name: 'pw', UID: '7', GID: '8', Mode: 0o400 } }]
  const Configs = [{ ConfigID: 'c1', ConfigName: 'x', File: { Name: '/etc/app.conf' } }]
  const { spec, parts } = wishOf({ TaskTemplate: { ContainerSpec: { ...container, Secrets, Configs } } })
  assert.deepEqual(spec.secrets, [{ secret: 'name-of-s1', target: '/run/secrets/pw', uid: 7, gid: 8, mode: 0o400 }])
  assert.deepEqual(spec.configs, [{ secret: 'name-of-c1', target: '/etc/app.conf', uid: 0, gid: 0, mode: 0o444 }])
  assert.deepEqual(parts.secrets, [{ key: 'name-of-s1', name: 'name-of-s1', isExternal: true, labels: {} }])
})

test('a port without a number gets a free one from the router, and a node chooses its own', () => {
  const Ports = [{ TargetPort: 80 }, { TargetPort: 81, PublishMode: 'host', Protocol: 'udp' }]
  const { spec } = wishOf({ EndpointSpec: { Ports } })
  assert.deepEqual(
    spec.ports.map(({ mode, published }) => [mode, published]),
    [
      ['ingress', 30_000],
      ['host', null],
    ],
  )
})

test('times are nanoseconds, and update settings those of swarm mode', () => {
  const UpdateConfig = {
    Parallelism: 2,
    Delay: 3_000_000_000,
    FailureAction: 'rollback',
    MaxFailureRatio: 0.5,
    Order: 'start-first',
  }
  const { update } = wishOf({ UpdateConfig }).spec
  assert.deepEqual(
    [update.parallelism, update.delayMs, update.failureAction, update.maxFailureRatio, update.order],
    [2, 3000, 'rollback', 0.5, 'start-first'],
  )
})

test('what would not be obeyed is refused by name', () => {
  const refusals: readonly (readonly [Readonly<Record<string, unknown>>, RegExp])[] = [
    [{ TaskTemplate: { ContainerSpec: { ...container, Privileges: { SELinuxContext: { Level: 'x' } } } } }, /SELinuxContext/],
    [{ TaskTemplate: { ContainerSpec: { ...container, Hostname: '{{.Node.IP}}' } } }, /Hostname: the placeholder \{\{.Node.IP}}/],
    [
      { TaskTemplate: { ContainerSpec: container, Resources: { Reservations: { GenericResources: [{ a: 1 }] } } } },
      /GenericResources/,
    ],
    [{ TaskTemplate: { ContainerSpec: container, Resources: { Limits: { MemoryBytes: 1024 } } } }, /invalid memory value 1024/],
    [{ TaskTemplate: { ContainerSpec: container, Resources: { Reservations: { NanoCPUs: 10 } } } }, /invalid cpu value 1e-8/],
    [{ TaskTemplate: { ContainerSpec: container, Runtime: 'plugin' } }, /plugin/],
    [{ TaskTemplate: { ContainerSpec: container, LogDriver: { Name: 'syslog' } } }, /syslog/],
    [{ EndpointSpec: { Ports: [{ TargetPort: 53, Protocol: 'udp' }] } }, /mode=host/],
    [{ TaskTemplate: { ContainerSpec: container, Placement: { Constraints: ['node.ip==1.2.3.4'] } } }, /invalid constraint/],
    [{ TaskTemplate: {} }, /image reference must be provided/],
    [{ Name: '-' }, /DNS name/],
  ]
  for (const [json, message] of refusals) assert.throws(() => wishOf(json), message)
})

test('whatever is said ends in a wish or in an error that is the asker’s', () => {
  const value = fc.jsonValue({ maxDepth: 3 })
  const field = fc.constantFrom(
    'Labels',
    'Mode',
    'UpdateConfig',
    'RollbackConfig',
    'Networks',
    'EndpointSpec',
    'TaskTemplate',
    'Name',
  )
  const inner = fc.constantFrom('Env', 'Mounts', 'Secrets', 'Configs', 'Hosts', 'Healthcheck', 'Ulimits', 'Command', 'DNSConfig')
  fc.assert(
    fc.property(fc.dictionary(field, value), fc.dictionary(inner, value), (outer, spec) => {
      try {
        assert.notEqual(wishOf({ TaskTemplate: { ContainerSpec: { ...container, ...spec } }, ...outer }).name, '')
      } catch (error) {
        assert.ok(error instanceof GloveboxError && (error.kind === 'invalid' || error.kind === 'unsupported'), String(error))
      }
    }),
  )
})

test('placeholders of swarm mode are kept for the node, and only then is it told to look for them', () => {
  const parts = (spec: object) => wishOf({ TaskTemplate: { ContainerSpec: { ...container, ...spec } } }).parts
  assert.equal(parts({ Hostname: '{{.Node.Hostname}}-{{.Task.Slot}}' }).hasPlaceholders, true)
  assert.equal(parts({ Env: ['SLOT={{ .Task.Slot }}'] }).hasPlaceholders, true)
  assert.equal(parts({ Mounts: [{ Type: 'volume', Source: 'v-{{.Task.Slot}}', Target: '/v' }] }).hasPlaceholders, true)
  assert.equal(parts({ Hostname: 'plain' }).hasPlaceholders, undefined)
})
