import assert from 'node:assert/strict'
import { before, test } from 'node:test'

import type { ContainerRecord, ContainerUsage } from '#engine/containers'

import { apiDescription } from '../testing/description.ts'
import {
  bridgeNetwork,
  containerRecord,
  CREATED_AT,
  ENDPOINT,
  HOST,
  imageRecord,
  specOf,
  VERSION,
  volumeRecord,
} from '../testing/records.ts'
import { containerJson, containerSummary } from './container-json.ts'
import { eventLine } from './event-json.ts'
import { imageHistory, imageJson, imageSummary, sharedBytes } from './image-json.ts'
import { swarmInfo } from '../swarm/swarm-json.ts'
import { infoJson, versionJson } from './system-json.ts'
import { networkJson } from './network-json.ts'
import { statsJson } from './stats-json.ts'
import { topJson } from './top-json.ts'
import { volumeJson } from './volume-json.ts'

let description: ReturnType<typeof apiDescription>
before(() => {
  description = apiDescription()
})

function assertFits(definition: string, value: unknown, minor = 51): void {
  const found = minor === 51 ? description : apiDescription(minor)
  assert.deepEqual(found.check(definition, value), [], `${definition} of 1.${minor}`)
}

const RUNNING: ContainerRecord = containerRecord({
  spec: specOf({
    Entrypoint: ['/init'],
    Cmd: ['serve', 'two words'],
    Healthcheck: { Test: ['CMD', 'true'] },
    HostConfig: {
      Binds: ['/src:/dst:ro', 'vol:/vol'],
      Tmpfs: { '/run': 'size=64k' },
      Mounts: [{ Type: 'volume', Target: '/named', Source: 'v2', VolumeOptions: { Labels: { a: 'b' } } }],
      PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8080' }], '53/udp': [{ HostPort: '' }] },
      Ulimits: [{ Name: 'nofile', Soft: 1, Hard: 2 }],
      Devices: [{ PathOnHost: '/dev/null' }],
      RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 2 },
    },
  }),
  status: {
    state: 'running',
    pid: 12,
    startedAt: '2026-01-02T03:04:05.5Z',
    health: { status: 'starting', failingStreak: 0, log: [{ start: CREATED_AT, end: CREATED_AT, exitCode: 0, output: 'ok' }] },
    endpoints: { bridge: ENDPOINT },
    ports: [{ hostIp: '127.0.0.1', hostPort: 8080, containerPort: 80, protocol: 'tcp' }],
  },
  mounts: [
    { type: 'volume', name: 'vol', source: '/volumes/vol', target: '/vol', driver: 'local', isReadOnly: false, propagation: '' },
    { type: 'bind', name: '', source: '/src', target: '/dst', driver: '', isReadOnly: true, propagation: 'rprivate' },
  ],
})

const FILES = { log: '/c/log', hosts: '/c/hosts', hostname: '/c/hostname', resolvConf: '/c/resolv.conf' }

test('the check against the description reports planted mistakes', () => {
  assert.notDeepEqual(description.check('Volume', { ...volumeJson(volumeRecord('v')), Name: 3 }), [])
  assert.notDeepEqual(description.check('ContainerSummary', { Id: 'short' }), [])
  assert.notDeepEqual(description.check('EventMessage', { Type: 'nothing' }), [])
})

test('answers about containers are as the API description has them', () => {
  for (const minor of [24, 41, 44, 51])
    for (const record of [
      RUNNING,
      containerRecord({}),
      containerRecord({ status: { state: 'exited', finishedAt: CREATED_AT } }),
    ]) {
      assertFits(
        'ContainerInspectResponse',
        containerJson(record, { minor, storageDriver: 'overlay', size: null, execIds: [], files: FILES }),
        // The name of the definition changed, what it says did not.
        51,
      )
      assertFits('ContainerSummary', containerSummary(record, { minor, nowMs: 0, size: { rwBytes: 1, rootFsBytes: 2 } }), 51)
    }
})

test('answers about images are as the API description has them', () => {
  const images = [imageRecord(), imageRecord({ tags: [], id: `sha256:${'cd'.repeat(32)}` as never })]
  for (const minor of [24, 43, 51])
    for (const image of images) {
      assertFits('ImageInspect', imageJson(image, { minor, storageDriver: 'overlay' }), Math.max(minor, 42))
      const summary = imageSummary(image, { minor, sharedBytes: sharedBytes(image, images), containers: -1 })
      assertFits('ImageSummary', summary, Math.max(minor, 42))
      for (const item of imageHistory(image)) assertFits('ImageHistoryResponseItem', item)
    }
})

test('answers about networks, volumes and the system are as the API description has them', () => {
  assertFits('Network', networkJson(bridgeNetwork(), [RUNNING], 51))
  assertFits('Volume', volumeJson(volumeRecord('v'), { sizeBytes: 1, refCount: 0 }))
  assertFits('SystemVersion', versionJson(VERSION))
  const around = { version: '1', containers: [RUNNING], images: 1, systemTime: CREATED_AT, minor: 51, swarm: swarmInfo(null, '') }
  assertFits('SystemInfo', infoJson(HOST, around))
  const event = { type: 'container', action: 'start', actorId: RUNNING.id, attributes: { name: 'web' }, timeNs: 5n } as const
  assertFits('EventMessage', JSON.parse(eventLine(event)))
})

test('stats are as the API description has them, running or not', () => {
  const none: ContainerUsage | null = null
  assertFits('ContainerStatsResponse', statsJson(RUNNING, none, none))
})

test('processes are as the API description has them', () => {
  const process = {
    pid: 5,
    insidePid: 1,
    ppid: 1,
    uid: 7,
    user: '',
    cpuSeconds: 3661,
    cpuPercent: 2.6,
    rssBytes: 2048,
    startedAtMs: 0,
    tty: 'pts/0',
    command: 'sh -c x',
  }
  const full = topJson([process], '', 4096)
  assertFits('ContainerTopResponse', full)
  assert.deepEqual(full.Processes, [['7', '5', '1', '2', '00:00', 'pts/0', '01:01:01', 'sh -c x']])
  assert.deepEqual(topJson([process], '-o pid,%mem,args', 4096).Titles, ['PID', '%MEM', 'COMMAND'])
})

test('what inspect says of mounts and ports can be given to create again', () => {
  const json = containerJson(RUNNING, { minor: 51, storageDriver: 'overlay', size: null, execIds: [], files: FILES })
  const again = specOf({ ...json.Config, HostConfig: json.HostConfig })
  assert.deepEqual(again.mounts.toSorted(byTarget), RUNNING.spec.mounts.toSorted(byTarget))
  assert.deepEqual(again.network.portBindings, RUNNING.spec.network.portBindings)
  assert.deepEqual(again.process, RUNNING.spec.process)
  assert.deepEqual(again.resources, RUNNING.spec.resources)
})

function byTarget(a: { readonly target: string }, b: { readonly target: string }): number {
  return a.target < b.target ? -1 : 1
}

test('a list item shows the command, published and exposed ports', () => {
  const item = containerSummary(RUNNING, { minor: 51, nowMs: Date.parse('2026-01-02T03:04:08.6Z'), size: null })
  assert.equal(item.Command, "/init serve 'two words'")
  assert.equal(item.Status, 'Up 3 seconds (health: starting)')
  assert.deepEqual(item.Ports, [
    { IP: '127.0.0.1', PrivatePort: 80, PublicPort: 8080, Type: 'tcp' },
    { PrivatePort: 53, Type: 'udp' },
  ])
})
