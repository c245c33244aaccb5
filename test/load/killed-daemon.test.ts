import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { after, before, describe, test, type TestContext } from 'node:test'

import { type Survivor, survivor } from '../kernel/survival-fixture.ts'
import { until } from '../support/processes.ts'
import { killClients, startClient, stopAll } from './clients.ts'
import { taskServerTar } from './service-image.ts'
import { answeringPort, createWords, PATIENCE_MS, reaches, rolled } from './web-service.ts'

/** Long form: `GLOVEBOX_LOAD_KILLS=200`. */
const KILLS = Number(process.env['GLOVEBOX_LOAD_KILLS'] ?? 5)
/** From the word to roll until the daemon is killed: a rollout of these services takes some two seconds. */
const MAX_LIFE_MS = 2000
const SERVICES = [
  { name: 'web', replicas: 3, letter: 'w' },
  { name: 'api', replicas: 2, letter: 'a' },
] as const
const PER_SECOND = 150

interface Inspected {
  readonly Name: string
  readonly Config: { readonly Env: readonly string[]; readonly Labels: Readonly<Record<string, string>> }
  readonly State: { readonly Status: string }
  readonly NetworkSettings: { readonly IPAddress: string }
}

let s: Survivor

before(async () => {
  s = await survivor()
  await s.start()
  await s.must('import', await taskServerTar(s.directory), 'task-server')
  await s.must('swarm', 'init')
})
after(async () => {
  killClients()
  await s.dispose()
})

interface Spec {
  readonly ID: string
  readonly Version: { readonly Index: number }
  readonly Spec: { TaskTemplate: { ContainerSpec: { Env: string[] } } }
}

/** By the API, since the daemon may die meanwhile. Whether it took it. */
async function roll(name: string, version: string): Promise<boolean> {
  try {
    const { ID, Version, Spec: spec } = await s.api<Spec>('GET', `/services/${name}`)
    spec.TaskTemplate.ContainerSpec.Env = [`VERSION=${version}`]
    await s.api('POST', `/services/${ID}/update?version=${Version.Index}`, spec)
    return true
  } catch (error) {
    if (/ECONN|socket hang up|EPIPE|aborted|out of sequence/.test(String(error))) return false
    throw error
  }
}

async function containers(): Promise<readonly Inspected[]> {
  const listed = await s.api<{ Id: string }[]>('GET', '/containers/json?all=1')
  return await Promise.all(listed.map(async ({ Id }) => await s.api<Inspected>('GET', `/containers/${Id}/json`)))
}

/** As many as are wanted run, all of one version, and no two share a name, a task or an address. */
async function expectWhole(name: string, replicas: number, version: string): Promise<void> {
  await until(`${name} to be whole`, PATIENCE_MS, async () => {
    const own = (await containers()).filter((one) => one.Config.Labels['com.docker.swarm.service.name'] === name)
    const alive = own.filter(({ State }) => State.Status !== 'exited')
    const distinct = (of: (one: Inspected) => string | undefined) => new Set(alive.map(of)).size
    assert.equal(alive.length, replicas, alive.map((one) => `${one.Name} ${one.State.Status}`).join(', '))
    for (const of of [
      (one: Inspected) => one.Name,
      (one: Inspected) => one.Config.Labels['com.docker.swarm.task.id'],
      (one: Inspected) => one.NetworkSettings.IPAddress,
    ])
      assert.equal(distinct(of), replicas)
    for (const one of alive) assert.ok(one.Config.Env.includes(`VERSION=${version}`), `${one.Name}: ${one.Config.Env.join(' ')}`)
    return true
  })
}

describe('a daemon that is killed while it deploys', { timeout: 3_600_000 }, () => {
  test(`${KILLS} times at random moments: it comes back, ends what it began, doubles and loses nothing, and no request fails`, async (t: TestContext) => {
    const clients = []
    for (const { name, replicas, letter } of SERVICES) {
      await s.must(...createWords(name, replicas, ['--env', `VERSION=${letter}0`, '--stop-grace-period', '2s']))
      await reaches(s.must, name, replicas)
      const port = await answeringPort(s.must, name)
      clients.push(startClient(`${name}, kept`, { port, perSecond: PER_SECOND, version: letter }))
      clients.push(
        startClient(`${name}, new`, { port, connections: 4, isKept: false, perSecond: PER_SECOND / 3, version: letter }),
      )
    }
    const versions = new Map<string, string>(SERVICES.map(({ name, letter }) => [name, `${letter}0`]))
    const waits: number[] = []
    for (let kill = 1; kill <= KILLS; kill += 1) {
      const { name, letter } = SERVICES[kill % SERVICES.length] ?? SERVICES[0]
      const version = `${letter}${kill}`
      const rolling = roll(name, version)
      await new Promise((resolve) => setTimeout(resolve, randomInt(MAX_LIFE_MS)))
      await s.kill()
      if (!(await rolling)) {
        // Nobody knows whether it had been written down.
        await s.start()
        while (!(await roll(name, version))) continue
        await s.kill()
      }
      versions.set(name, version)
      const startMs = performance.now()
      if (process.env['GLOVEBOX_TEST_LOG'] !== undefined) t.diagnostic(`${new Date().toISOString()} kill ${kill} of ${version}`)
      await s.start()
      await rolled(s.must, name)
      waits.push(performance.now() - startMs)
      for (const one of SERVICES) await expectWhole(one.name, one.replicas, versions.get(one.name) ?? '')
    }
    await stopAll(clients, (line) => t.diagnostic(line))
    t.diagnostic(`whole again after ${Math.round(Math.max(...waits))} ms at most`)
    assert.doesNotMatch(s.log(), / error /)
    for (const { name } of SERVICES) await s.must('service', 'rm', name)
    await until('the services to be gone', PATIENCE_MS, async () => ((await containers()).length === 0 ? true : undefined))
    await s.expectNoLeaks()
  })
})
