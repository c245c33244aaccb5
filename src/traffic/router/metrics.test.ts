import assert from 'node:assert/strict'
import { test } from 'node:test'

import { silentLog, virtualClock } from '#base'
import { metricsBetween } from './histogram.ts'
import { openMetrics } from './metrics.ts'
import { sectionName } from './names.ts'
import type { Route } from './port.ts'
import type { Proxy } from './proxy.ts'
import { parseOldWorkers } from './runtime-state.ts'

const ID = 'shop/web/80'
const SECTION = sectionName({ id: ID })

/** Says what it is told to have counted of the server `t1`. */
function countingProxy() {
  const counted = { requests: 0 }
  const ask = (command: string): string => {
    if (!command.startsWith('show stat')) return ''
    return `# pxname,svname,stot,hrsp_2xx,\n${SECTION},t1,${counted.requests},${counted.requests},\n`
  }
  const proxy: Partial<Proxy> = {
    pid: () => 1,
    workerPid: async () => await Promise.resolve(2),
    ask: async (command) => await Promise.resolve(ask(command)),
  }
  return { proxy: proxy as Proxy, counted }
}

function routeWith(group: string): Route {
  const backends = [{ id: 't1', address: '10.0.0.2', port: 80, state: 'ready' as const, group }]
  return { id: ID, hostIp: '', hostPort: 80, mode: 'http', backends }
}

test('what a server does is counted for the group that it is in at the time', async () => {
  const { proxy, counted } = countingProxy()
  const clock = virtualClock()
  const metrics = openMetrics({ proxy, clock, log: silentLog(), accessLogPath: '/nowhere/access.log', socketPath: '/nowhere' })
  const requestsOf = async (since: Awaited<ReturnType<typeof metrics.read>>) =>
    metricsBetween(since, await metrics.read()).map(({ group, counts }) => [group, counts.requests])
  metrics.follow([routeWith('web')])
  counted.requests = 5
  const before = await metrics.read()
  metrics.follow([routeWith('web.r1')])
  counted.requests = 12
  assert.deepEqual(await requestsOf(before), [
    ['web', 0],
    ['web.r1', 7],
  ])
  metrics.follow([routeWith('web')])
  counted.requests = 13
  assert.deepEqual(await requestsOf(before), [
    ['web', 1],
    ['web.r1', 7],
  ])
  // It is drained and not wanted any more: what it still does belongs to where it was.
  metrics.follow([{ ...routeWith('web'), backends: [] }])
  counted.requests = 15
  assert.deepEqual(await requestsOf(before), [
    ['web', 3],
    ['web.r1', 7],
  ])
  await metrics[Symbol.asyncDispose]()
})

test('workers that were replaced are read from what the master says', () => {
  const text = `#<PID>          <type>          <reloads>       <uptime>        <version>
1162            master          5               0d00h02m07s     2.6.12
# workers
1271            worker          0               0d00h00m00s     2.6.12
# old workers
1233            worker          3               0d00h00m43s     2.6.12
1240            worker          1               0d00h00m13s     2.6.12
# programs

`
  assert.deepEqual(parseOldWorkers(text), [1233, 1240])
  assert.deepEqual(parseOldWorkers('# workers\n1271 worker\n'), [])
})
