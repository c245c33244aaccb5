import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, afterEach, before, describe, test } from 'node:test'

import { apiDescription, DESCRIBED } from '../../src/api/docker/testing/description.ts'
import { startRegistry, type RegistryProcess } from '../kernel/registry-process.ts'
import { startDaemon, type TestDaemon } from '../support/daemon.ts'
import { busyboxTar } from '../support/image.ts'
import { examContainers } from './api/containers.ts'
import { apiExam, send } from './api/exam.ts'
import { examImages } from './api/images.ts'
import { examNetworksAndVolumes } from './api/networks.ts'
import { OPERATIONS } from './api/operations.ts'
import { examSwarm } from './api/swarm.ts'
import { examSystem } from './api/system.ts'

const MINORS = [24, 41, 44, 51, null] as const

describe('answers are as the API description has them', () => {
  let daemon: TestDaemon
  let registry: RegistryProcess
  before(async () => {
    daemon = await startDaemon()
    registry = await startRegistry()
    const bytes = readFileSync(await busyboxTar(daemon.directory))
    await send(daemon.socketPath, 'POST', '/images/create?fromSrc=-&repo=busybox&changes=ENV%20PATH%3D/bin', { bytes })
  })
  after(async () => {
    await registry.stop()
    await daemon.stop()
  })

  // What a version that fails leaves behind must not fail the next ones.
  afterEach(async () => {
    const left = await send(daemon.socketPath, 'GET', '/containers/json?all=1')
    for (const { Id } of left.json) await send(daemon.socketPath, 'DELETE', `/containers/${Id}?force=1&v=1`)
    await send(daemon.socketPath, 'POST', '/networks/prune')
  })

  for (const minor of MINORS)
    test(`every operation ${minor === null ? 'without a version' : `of version 1.${minor}`}`, async () => {
      const api = apiExam(daemon.socketPath, minor)
      await examContainers(api, daemon.socketPath)
      await examImages(api, registry.host)
      await examNetworksAndVolumes(api)
      await examSystem(api)
      await examSwarm(api)
      const missed = OPERATIONS.filter(({ name, state }) => state === 'done' && !api.asked.has(name)).map(({ name }) => name)
      assert.deepEqual([missed, [...api.findings]], [[], []])
    })

  test('what is not there is refused by name, and swarm mode answers as a node that is in no swarm before there is one', async () => {
    for (const { name } of OPERATIONS.filter((operation) => operation.state !== 'done')) {
      const api = apiExam(daemon.socketPath, 51)
      const params = { id: 'x', name: 'x', checkpoint: 'x' }
      const [method = '', path = ''] = name.split(' ')
      const answer = await send(daemon.socketPath, method, api.path(name, { params }))
      assert.equal(answer.status, 501, `${name}: ${path} ${answer.bytes.toString()}`)
      assert.deepEqual(api.description.check('ErrorResponse', answer.json), [], name)
      assert.match(answer.json.message, /not supported/, name)
    }
    for (const path of ['/swarm', '/services', '/nodes', '/tasks', '/secrets', '/configs', '/services/x', '/tasks/x/logs']) {
      const answer = await send(daemon.socketPath, 'GET', path)
      assert.deepEqual([answer.status, /This node is not a swarm manager/.test(answer.json.message)], [503, true], path)
    }
  })
})

test('every operation that is described anywhere is in the table, once', () => {
  const described = new Set(DESCRIBED.flatMap((minor) => apiDescription(minor).operations))
  const names = OPERATIONS.map(({ name }) => name)
  assert.deepEqual(
    [...described].filter((name) => !names.includes(name)),
    [],
  )
  assert.equal(new Set(names).size, names.length)
})
