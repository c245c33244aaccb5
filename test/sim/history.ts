import { GloveboxError, messageOf } from '#base'
import { isEnded, type ServiceRecord } from '#cluster/model'

import { NO_FAULTS, type FaultRates } from './life.ts'
import { randomChoice, wishFor, type ServiceChoice } from './specs.ts'
import { openWorld, type World } from './world.ts'

const FAULTS: FaultRates = { failsBefore: 0.01, failsAfter: 0.01, delays: 0.1, maxDelayMs: 300, crashes: 0.002 }
/** Of the disturbed part of a history. */
const ACTIONS = 12
/** After the last fault, before everything has to be as wanted. */
const SETTLE_MS = 10 * 60_000

export interface HistoryResult {
  readonly problems: readonly string[]
  readonly trace: readonly string[]
}

/** One random history: users change their minds, parts die, nodes go and come back; then the faults stop and everything has to converge. */
export async function runHistory(seed: number, tell?: (line: string) => void): Promise<HistoryResult> {
  const nodes = 1 + (seed % 3)
  const world = openWorld(seed, nodes, tell)
  const choices = new Map<string, ServiceChoice>()
  const { random } = world
  await world.pass(1000)
  world.disturb(seed % 5 === 0 ? NO_FAULTS : FAULTS)
  for (let action = 0; action < ACTIONS && world.broken.length === 0; action += 1) {
    await act(world, choices)
    await world.pass(100 + random.integer(random.integer(2) === 0 ? 1500 : 12_000))
  }
  world.disturb()
  await calmDown(world, choices)
  for (let passed = 0; passed < SETTLE_MS && unsettled(world, choices).length > 0 && world.broken.length === 0; passed += 5000) {
    await world.pass(5000)
    await goOn(world)
  }
  return { problems: [...world.broken, ...(world.broken.length > 0 ? [] : unsettled(world, choices))], trace: world.trace }
}

async function act(world: World, choices: Map<string, ServiceChoice>): Promise<void> {
  const { random, services } = world
  const names = [...choices.keys()]
  const name = names[random.integer(Math.max(1, names.length))]
  const [what, machines] = [random.integer(16), [...world.machines.keys()]]
  const node = machines[random.integer(machines.length)] ?? ''
  const choice = name === undefined ? undefined : choices.get(name)
  if (name === undefined || choice === undefined || (names.length < 3 && what < 4)) {
    const made = randomChoice(`s${names.length + 1}`, names.length + 1, random)
    if (choices.has(made.name)) return
    choices.set(made.name, made)
    return void (await services.create(wishFor(made)))
  }
  const ref = `shop_${name}`
  const update = async (to: ServiceChoice) => {
    choices.set(name, to)
    await allowed(services.update(ref, wishFor(to)))
  }
  if (choice.mode === 'replicated-job' && what < 5) return await update({ ...choice, image: `job:${random.integer(9)}` })
  switch (what) {
    case 0:
    case 1:
    case 2:
    case 3:
      return await update({ ...choice, image: `${random.integer(2) === 0 ? 'good' : 'slow'}:${random.integer(9)}` })
    case 4:
      return await update({ ...choice, image: `bad:${random.integer(9)}` })
    case 5:
    case 6:
      if (choice.mode !== 'replicated' || choice.hasVolume === true || choice.hostPort !== undefined) return
      choices.set(name, { ...choice, replicas: random.integer(6) })
      return await allowed(services.scale(ref, choices.get(name)?.replicas ?? 1))
    case 7:
      return await allowed(services.pause(ref))
    case 8:
      return await allowed(services.resume(ref))
    case 9:
      return await allowed(services.rollback(ref, 'user'))
    case 10:
      return await allowed(random.integer(2) === 0 ? services.promote(ref) : services.abort(ref))
    case 11:
      return world.machines.get(node)?.crashOne()
    case 12:
      world.kill(node)
      return world.machines.get(node)?.fail()
    case 13:
      return world.cut(node, 1000 + random.integer(60_000))
    case 14:
      return world.kill((['services', 'scheduler', 'jobs'] as const)[random.integer(3)] ?? 'services')
    default:
      await services.updateNode(node, { availability: (['active', 'pause', 'drain'] as const)[random.integer(3)] ?? 'active' })
  }
}

/** What a user may be refused is no fault. */
async function allowed(work: Promise<unknown>): Promise<void> {
  try {
    await work
  } catch (error) {
    if (!(error instanceof GloveboxError) || error.kind === 'internal') throw new Error(messageOf(error), { cause: error })
  }
}

/** Everybody wants what can be had: nodes are active, nothing is paused, images are good. */
async function calmDown(world: World, choices: Map<string, ServiceChoice>): Promise<void> {
  await world.pass(10_000)
  for (const { id, availability } of world.nodeRecords())
    if (availability !== 'active') await world.services.updateNode(id, { availability: 'active' })
  for (const [name, choice] of choices) {
    const image = choice.image?.startsWith('bad') === true ? 'good:99' : (choice.image ?? 'good:1')
    choices.set(name, { ...choice, image })
    await world.services.resume(`shop_${name}`)
    if (name === 's2' && world.random.integer(3) === 0) {
      await world.services.remove(`shop_${name}`)
      choices.delete(name)
      continue
    }
    await world.services.update(`shop_${name}`, wishFor({ ...choice, image }))
  }
}

/** A rollout that failures stopped during the faults waits for somebody to say that it may go on. */
async function goOn(world: World): Promise<void> {
  for (const { record } of await world.services.list())
    if (record.state === 'active' && record.rollout?.state === 'paused') await world.services.resume(record.id)
}

/** What is not as wanted; each line names it. */
export function unsettled(world: World, choices: ReadonlyMap<string, ServiceChoice>): readonly string[] {
  const problems: string[] = []
  for (const name of choices.keys()) {
    const service = world.record(`shop_${name}`)
    if (service === undefined) problems.push(`service ${name} is lost`)
    else problems.push(...unsettledService(world, service))
  }
  for (const service of world.nodeRecords())
    if (service.status.state !== 'ready') problems.push(`node ${service.id} is ${service.status.state}`)
  const known = new Set(
    [...world.store.peek().keys()].filter((key) => key.startsWith('task/')).map((key) => key.slice('task/'.length)),
  )
  for (const [node, machine] of world.machines)
    for (const container of machine.containers.values())
      if (!known.has(container.labels['io.glovebox.task-id'] ?? ''))
        problems.push(`${node}: container ${container.name} belongs to nobody`)
  const names = new Set([...choices.keys()].map((name) => `shop_${name}`))
  for (const [key, value] of world.store.peek())
    if (key.startsWith('service/') && !names.has((value as ServiceRecord).name)) problems.push(`service ${key} is still there`)
  return problems
}

function unsettledService(world: World, service: ServiceRecord): readonly string[] {
  const target = world.revision(service)
  if (target?.spec.job !== null && target !== undefined) {
    const run = world.runsOf(service).find(({ revision }) => revision === target.number)
    return run?.state === 'succeeded'
      ? []
      : [`job ${service.name}: its run is ${run?.state ?? 'not there'}: ${run?.reason ?? ''}`]
  }
  const tasks = world.tasksOf(service).filter((task) => !isEnded(task.status.state))
  const wanted = target?.spec.mode === 'global' ? world.machines.size : service.replicas
  const ready = tasks.filter((task) => task.status.isReady && task.desiredState === 'running')
  const isRolling = service.rollout !== null && service.rollout.endedAtMs === null
  const lines: string[] = []
  if (ready.length !== wanted || tasks.length !== wanted)
    lines.push(`service ${service.name}: ${wanted} wanted, ${tasks.length} there, ${ready.length} ready`)
  if (
    tasks.some(
      (task) =>
        task.revision !== service.revision &&
        world.revision({ ...service, revision: task.revision })?.templateHash !== target?.templateHash,
    )
  )
    lines.push(`service ${service.name} has tasks of an older revision`)
  if (isRolling) lines.push(`service ${service.name}: its rollout is ${service.rollout?.state}: ${service.rollout?.reason}`)
  for (const task of ready) {
    const machine = world.machines.get(task.nodeId ?? '')
    if (machine?.containers.get(task.status.containerId ?? '')?.state !== 'running')
      lines.push(`task ${task.id} is ready without a container that runs`)
  }
  const waits =
    world
      .loop()
      ?.waits(service.id)
      .map((wait) => wait.reason) ?? []
  return lines.length === 0 ? [] : [...lines, `  it waits: ${waits.join('; ')}`]
}
