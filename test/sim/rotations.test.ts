import assert from 'node:assert/strict'
import { test } from 'node:test'

import { GloveboxError } from '#base'
import { isEnded, type RevisionRecord, type ServiceRecord } from '#cluster/model'
import type { ServiceWish } from '#cluster/services'

import { wishFor, type ServiceChoice } from './specs.ts'
import { openWorld, type SimulatedSecret, type World } from './world.ts'

const SEEDS = Number(process.env['GLOVEBOX_SIM_SEEDS'] ?? 20)
const FAULTS = { failsBefore: 0.01, failsAfter: 0.01, delays: 0.1, maxDelayMs: 300, crashes: 0.003 }
const ACTIONS = 10
const SETTLE_MS = 5 * 60_000
const NAMES = ['a', 'b']
const SERVICE = 'shop_web'

test(`over ${SEEDS} random histories tasks get the newest values in the end, and no value is rolled twice, whoever dies`, async () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) assert.deepEqual(await runHistory(seed), [], `seed ${seed}`)
})

async function runHistory(seed: number): Promise<readonly string[]> {
  const world = openWorld(seed, 1 + (seed % 2), undefined, { hasRotation: true })
  const { random, services } = world
  const rolled: string[] = []
  world.store.onCommit.add((batch, before) => {
    for (const { key, value } of batch.changes) {
      const revision = value as RevisionRecord | null
      if (key.startsWith('revision/') && revision?.by.startsWith('glovebox, for') === true && before(key) === undefined)
        rolled.push(revision.templateHash)
    }
  })
  for (const name of NAMES) await rotate(world, name)
  await services.create(await wish(world, { name: 'web', replicas: 3 }))
  await world.pass(10_000)
  world.disturb(FAULTS)
  let choice: ServiceChoice = { name: 'web', replicas: 3 }
  for (let action = 0; action < ACTIONS && world.broken.length === 0; action += 1) {
    const what = random.integer(8)
    if (what < 3) await rotate(world, NAMES[random.integer(NAMES.length)] ?? 'a')
    else if (what === 3) world.kill('rotation')
    else if (what === 4) world.kill('services')
    else if (what === 5) await allowed(services.scale(SERVICE, 1 + random.integer(4)))
    else if (what === 6) {
      choice = { ...choice, image: `good:${random.integer(9)}` }
      await allowed(services.update(SERVICE, await wish(world, choice)))
    } else world.machines.get('node1')?.crashOne()
    await world.pass(random.integer(8000))
  }
  world.disturb()
  for (let passed = 0; passed < SETTLE_MS && unsettled(world).length > 0; passed += 5000) {
    await world.pass(5000)
    if (world.record(SERVICE)?.rollout?.state === 'paused') await services.resume(SERVICE)
  }
  const twice = rolled.filter((hash, index) => rolled.indexOf(hash) !== index)
  return [...world.broken, ...unsettled(world), ...twice.map((hash) => `${hash.slice(0, 12)} was rolled twice`)]
}

function versionOf(world: World, name: string): number {
  return (world.store.peek().get(`secret/${name}`) as SimulatedSecret | undefined)?.version ?? 0
}

async function rotate(world: World, name: string): Promise<void> {
  await world.store.write({ puts: [{ key: `secret/${name}`, value: { name, version: versionOf(world, name) + 1 } }] })
}

/** As whoever asks for a service fills it in: with the versions of this moment. */
async function wish(world: World, choice: ServiceChoice): Promise<ServiceWish> {
  const plain = wishFor(choice)
  const secrets = NAMES.map((secret) => ({ secret, target: `/run/${secret}`, uid: 0, gid: 0, mode: 0o400 }))
  const versions = Object.fromEntries(NAMES.map((name) => [`secret/${name}`, versionOf(world, name)]))
  return await Promise.resolve({ ...plain, spec: { ...plain.spec, secrets }, parts: { ...plain.parts, versions } })
}

async function allowed(work: Promise<unknown>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!(error instanceof GloveboxError) || error.kind === 'internal') throw error
  })
}

/** What is not as it should be in the end. */
function unsettled(world: World): readonly string[] {
  const service = world.record(SERVICE) as ServiceRecord
  const wanted = world.revision(service)
  const lines = NAMES.filter((name) => wanted?.parts.versions[`secret/${name}`] !== versionOf(world, name)).map(
    (name) => `the newest version of ${name} is not wanted`,
  )
  const live = world.tasksOf(service).filter((task) => !isEnded(task.status.state))
  const current = live.filter(
    (task) =>
      task.status.isReady && world.revision({ ...service, revision: task.revision })?.templateHash === wanted?.templateHash,
  )
  return live.length === service.replicas && current.length === live.length
    ? lines
    : [
        ...lines,
        `${service.replicas} wanted, ${live.length} there, ${current.length} of the wanted revision: ${service.rollout?.state} ${service.rollout?.reason}`,
      ]
}
