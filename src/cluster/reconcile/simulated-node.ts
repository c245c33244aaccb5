import type { Random } from '#base'

import type { NodePort, NodeTask, TaskSpec } from './node-port.ts'

/** How tasks of one image behave. */
export interface SimulatedImage {
  readonly id: string
  /** Runs for so long and then ends with `exitCode`; null: until it is stopped. */
  readonly runsMs: number | null
  readonly exitCode: number
  /** Gets healthy so long after its start; null: has no health check. */
  readonly healthyAfterMs: number | null
}

/** A node in memory that obeys the rules of a real one, on a clock that the test moves. */
export interface SimulatedNode extends NodePort {
  /** Ends what is due, and lets health checks pass. */
  tick(nowMs: number): void
  setImage(reference: string, image: SimulatedImage): void
  /** As by somebody's hand. */
  crash(name: string, exitCode: number): void
  setHealth(name: string, health: NodeTask['health']): void
  /** The next call of this kind fails with this message. */
  failNext(call: string, message: string): void
  readonly calls: string[]
}

interface SimulatedTask {
  task: NodeTask
  readonly image: SimulatedImage
}

export function simulatedNode(random: Random, startMs: number): SimulatedNode {
  let nowMs = startMs
  const tasks = new Map<string, SimulatedTask>()
  const networks = new Set<string>()
  const volumes = new Set<string>()
  const images = new Map<string, SimulatedImage>()
  const listeners = new Set<() => void>()
  const failures = new Map<string, string>()
  const calls: string[] = []
  let addresses = 1
  const called = (call: string, what: string) => {
    calls.push(`${call} ${what}`)
    const message = failures.get(call)
    failures.delete(call)
    if (message !== undefined) throw new Error(message)
  }
  const changed = () => listeners.forEach((listener) => listener())
  const change = (id: string, change: Partial<NodeTask>) => {
    const entry = tasks.get(id)
    if (entry === undefined) throw new Error(`no such task: ${id}`)
    entry.task = { ...entry.task, ...change }
    changed()
  }
  const byName = (name: string) => {
    const entry = [...tasks.values()].find((candidate) => candidate.task.name === name)
    if (entry === undefined) throw new Error(`no such task: ${name}`)
    return entry.task.id
  }
  const end = (id: string, exitCode: number) =>
    change(id, { state: 'exited', exitCode, finishedAtMs: nowMs, health: 'none', addresses: {} })
  return {
    calls,
    setImage: (reference, image) => void images.set(reference, image),
    crash: (name, exitCode) => end(byName(name), exitCode),
    setHealth: (name, health) => change(byName(name), { health }),
    failNext: (call, message) => void failures.set(call, message),
    tick: (toMs) => {
      nowMs = toMs
      for (const { task, image } of tasks.values()) {
        if (task.state !== 'running' || task.startedAtMs === null) continue
        if (image.runsMs !== null && nowMs - task.startedAtMs >= image.runsMs) end(task.id, image.exitCode)
        else if (task.health === 'starting' && nowMs - task.startedAtMs >= (image.healthyAfterMs ?? 0))
          change(task.id, { health: 'healthy' })
      }
    },
    listTasks: async () => [...tasks.values()].map((entry) => entry.task),
    listNetworks: async () => [...networks],
    listVolumes: async () => [...volumes],
    createTask: async (spec) => {
      called('create', spec.name)
      const image = imageOf(spec, images)
      if ([...tasks.values()].some((entry) => entry.task.name === spec.name)) throw new Error(`the name ${spec.name} is taken`)
      for (const network of spec.networks) if (!networks.has(network.name)) throw new Error(`no such network: ${network.name}`)
      const id = random.bytes(32).toString('hex')
      tasks.set(id, { image, task: newTask(id, spec) })
      changed()
      return id
    },
    renameTask: async (id, name) => {
      called('rename', name)
      if (tasks.has(id)) change(id, { name })
    },
    startTask: async (id) => {
      called('start', tasks.get(id)?.task.name ?? id)
      const entry = tasks.get(id)
      if (entry === undefined) throw new Error(`no such task: ${id}`)
      addresses += 1
      change(id, {
        state: 'running',
        startedAtMs: nowMs,
        health: entry.image.healthyAfterMs === null ? 'none' : 'starting',
        addresses: Object.fromEntries([...networks].map((name) => [name, `10.0.0.${addresses % 250}`])),
      })
    },
    stopTask: async (id) => {
      called('stop', tasks.get(id)?.task.name ?? id)
      if (tasks.get(id)?.task.state === 'running' || tasks.get(id)?.task.state === 'paused') end(id, 143)
    },
    removeTask: async (id) => {
      called('remove', tasks.get(id)?.task.name ?? id)
      tasks.delete(id)
      changed()
    },
    ensureNetwork: async ({ name }) => {
      called('ensure-network', name)
      networks.add(name)
      changed()
    },
    removeNetwork: async (name) => {
      called('remove-network', name)
      networks.delete(name)
      changed()
    },
    ensureVolume: async ({ name }) => {
      called('ensure-volume', name)
      volumes.add(name)
      changed()
    },
    removeVolume: async (name) => {
      called('remove-volume', name)
      volumes.delete(name)
      changed()
    },
    resolveImage: async (reference) => images.get(reference)?.id,
    events: (listener) => {
      listeners.add(listener)
      return { [Symbol.dispose]: () => void listeners.delete(listener) }
    },
  }
}

function imageOf(spec: TaskSpec, images: ReadonlyMap<string, SimulatedImage>): SimulatedImage {
  const image = [...images.values()].find((candidate) => candidate.id === spec.imageId)
  if (image === undefined) throw new Error(`no such image: ${spec.imageId}`)
  return image
}

function newTask(id: string, spec: TaskSpec): NodeTask {
  return {
    id,
    name: spec.name,
    labels: spec.labels,
    state: 'created',
    exitCode: 0,
    error: '',
    isOomKilled: false,
    startedAtMs: null,
    finishedAtMs: null,
    health: 'none',
    healthOutput: '',
    addresses: {},
  }
}
