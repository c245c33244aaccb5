import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { silentLog, virtualClock } from '#base'
import { keyOf, type StackRecord } from '#cluster/model'
import { openMirror, SERVICE_PREFIXES } from '#cluster/services'
import { PLAIN_RULE } from '#cluster/spec'
import { memoryStore } from '#cluster/store'

import { startRouteLoop } from './loop.ts'
import type { RouteFailure } from './route-port.ts'

function stackWith(names: readonly string[]): StackRecord {
  const routes = names.map((name, index) => {
    const target = { type: 'address', name: 'old', host: '192.0.2.1', port: 80, share: 1 } as const
    return { name, hostIp: '', port: 8000 + index, mode: 'http' as const, targets: [target], rule: PLAIN_RULE }
  })
  const spec = {
    name: 'shop',
    workingDir: '',
    configFiles: [],
    services: [],
    networks: [],
    volumes: [],
    secrets: [],
    configs: [],
    routes,
  }
  const fixed = { revision: 1, state: 'active', removeVolumes: false, chosenPorts: {}, awaited: {} } as const
  return { spec, ...fixed, former: { networks: [], volumes: [] }, createdAtMs: 0, updatedAtMs: 0 }
}

async function world() {
  const clock = virtualClock()
  const store = memoryStore(clock)
  const log = silentLog()
  const put = async (names: readonly string[]) =>
    await store.write({ puts: [{ key: keyOf('stack', 'shop'), value: stackWith(names) }] })
  await put(['a', 'b'])
  const opened = Promise.withResolvers<void>()
  const mirror = openMirror({ store, clock, log, prefixes: [...SERVICE_PREFIXES, 'stack/'] })
  const late = { ...mirror, opened: opened.promise.then(async () => await mirror.opened) }
  const told: (readonly string[])[] = []
  const router = { isBroken: false, refused: [] as RouteFailure[] }
  const routes = {
    apply: async (wanted: readonly { readonly id: string }[]) => {
      if (router.isBroken) throw new Error('no answer')
      told.push(wanted.map(({ id }) => id))
      return await Promise.resolve(router.refused)
    },
  }
  const loop = startRouteLoop({ mirror: late, routes, clock, log })
  return { clock, put, open: opened.resolve, told, router, loop, mirror }
}

describe('whoever tells the router', () => {
  it('says nothing before the records were read, and then all of it at each change', async () => {
    const { clock, put, open, told, loop, mirror } = await world()
    await clock.advance(5000)
    assert.deepEqual([told, loop.toldRevision()], [[], 0])
    open()
    await clock.advance(10)
    assert.deepEqual(told, [['shop/a/a', 'shop/b/b']])
    assert.equal(loop.toldRevision(), mirror.revision())
    await put(['a'])
    await clock.advance(10)
    assert.deepEqual(told.at(-1), ['shop/a/a'])
    await loop[Symbol.asyncDispose]()
    await mirror[Symbol.asyncDispose]()
  })

  it('says it again to one that did not answer, and tries again what was refused', async () => {
    const { clock, open, told, router, loop, mirror } = await world()
    router.isBroken = true
    open()
    await clock.advance(100)
    assert.equal(loop.toldRevision(), 0)
    router.isBroken = false
    router.refused = [{ id: 'shop/a/a', reason: 'port 8000 is in use' }]
    await clock.advance(1000)
    assert.deepEqual([...loop.failures()], [['shop/a/a', 'port 8000 is in use']])
    router.refused = []
    await clock.advance(15_000)
    assert.deepEqual([told.length, loop.failures().size], [2, 0])
    await loop[Symbol.asyncDispose]()
    await mirror[Symbol.asyncDispose]()
  })
})
