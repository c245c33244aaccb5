import type { Clock, Random } from '#base'
import { TASK_LABELS, type NodePort, type NodeTask, type TaskSpec } from '#cluster/agent'

/** How containers of an image behave, by its name before the colon. */
export interface Behaviour {
  /** Ends by itself so long after its start, with this code; null: runs on. */
  readonly runsMs: number | null
  readonly exitCode: number
  /** null: it has no health check. */
  readonly healthyAfterMs: number | null
}

const BEHAVIOURS: Readonly<Record<string, Behaviour>> = {
  good: { runsMs: null, exitCode: 0, healthyAfterMs: null },
  slow: { runsMs: null, exitCode: 0, healthyAfterMs: 3000 },
  bad: { runsMs: 700, exitCode: 3, healthyAfterMs: null },
  job: { runsMs: 1500, exitCode: 0, healthyAfterMs: null },
}

/** A machine with containers that obey the rules of real ones. It outlives the agent, and complains when a rule of the cluster is broken on it. */
export interface Machine {
  readonly port: NodePort
  readonly containers: ReadonlyMap<string, NodeTask & { readonly spec: TaskSpec }>
  readonly volumes: ReadonlySet<string>
  /** Power goes: everything that runs ends. */
  fail(): void
  /** One container ends by itself. */
  crashOne(): void
  /** The next container cannot be made. */
  refuseNext(message: string): void
  /** An image under another name than what it is; null: it is not here. */
  readonly images: Map<string, string | null>
  /** There before anybody asked for it. */
  adopt(container: NodeTask & { readonly spec: TaskSpec }): void
}

export interface MachinePorts {
  readonly clock: Clock
  readonly random: Random
  readonly name: string
  readonly complain: (what: string) => void
  /** Called before a running container is stopped by the agent. */
  readonly onStop: (container: NodeTask) => void
}

export function machine({ clock, random, name, complain, onStop }: MachinePorts): Machine {
  const containers = new Map<string, NodeTask & { readonly spec: TaskSpec }>()
  const networks = new Set<string>()
  const volumes = new Set<string>()
  const listeners = new Set<() => void>()
  const images = new Map<string, string | null>()
  let refusal: string | null = null
  let addresses = 0
  const changed = () => listeners.forEach((listener) => listener())
  const change = (id: string, to: Partial<NodeTask>) => {
    const before = containers.get(id)
    if (before === undefined) return
    containers.set(id, { ...before, ...to })
    changed()
  }
  const end = (id: string, exitCode: number) => {
    if (containers.get(id)?.state === 'running')
      change(id, { state: 'exited', exitCode, finishedAtMs: clock.nowMs(), health: 'none', addresses: {} })
  }
  const existing = (id: string) => {
    const container = containers.get(id)
    if (container === undefined) throw new Error(`no such container: ${id}`)
    return container
  }
  const check = (started: NodeTask & { readonly spec: TaskSpec }) => {
    for (const other of containers.values()) {
      if (other.id === started.id || other.state !== 'running') continue
      for (const port of started.spec.hostPorts)
        if (other.spec.hostPorts.some((taken) => taken.published !== null && taken.published === port.published))
          complain(`${name}: ${started.name} and ${other.name} have the host port ${port.published}`)
      const writes = (spec: TaskSpec) =>
        spec.mounts.flatMap((mount) =>
          mount.type === 'volume' && !mount.isReadOnly && mount.volume !== null ? [mount.volume] : [],
        )
      const shared = writes(started.spec).find((volume) => writes(other.spec).includes(volume))
      if (shared !== undefined) complain(`${name}: ${started.name} and ${other.name} both write to the volume ${shared}`)
    }
  }
  const port: NodePort = {
    listTasks: async () => await Promise.resolve([...containers.values()]),
    listNetworks: async () => await Promise.resolve([...networks]),
    listVolumes: async () => await Promise.resolve([...volumes]),
    createTask: async (spec) => {
      const refused = refusal
      refusal = null
      if (refused !== null) throw new Error(refused)
      if ([...containers.values()].some((other) => other.name === spec.name)) throw new Error(`the name ${spec.name} is in use`)
      const id = random.bytes(16).toString('hex')
      const taskId = spec.labels[TASK_LABELS.task]
      if ([...containers.values()].some((other) => other.labels[TASK_LABELS.task] === taskId))
        complain(`${name}: two containers for the task ${taskId}`)
      const { labels } = spec
      containers.set(id, { id, name: spec.name, labels, spec, ...FRESH })
      changed()
      return await Promise.resolve(id)
    },
    renameTask: async (id, to) => await Promise.resolve(change(id, { name: to })),
    startTask: async (id) => {
      const container = existing(id)
      if (container.state === 'running') return await Promise.resolve()
      const behaviour = BEHAVIOURS[container.spec.image.split(':')[0] ?? 'good'] ?? BEHAVIOURS['good']
      if (behaviour === undefined) return
      addresses += 1
      const { runsMs, exitCode, healthyAfterMs } = behaviour
      change(id, {
        state: 'running',
        startedAtMs: clock.nowMs(),
        health: healthyAfterMs === null ? 'none' : 'starting',
        addresses: { default: `10.${name.length}.${addresses >> 8}.${addresses & 255}` },
      })
      check(existing(id))
      if (runsMs !== null) clock.after(runsMs, () => end(id, exitCode))
      if (healthyAfterMs !== null)
        clock.after(healthyAfterMs, () => {
          if (containers.get(id)?.state === 'running') change(id, { health: 'healthy' })
        })
    },
    stopTask: async (id) => {
      const container = containers.get(id)
      if (container?.state !== 'running') return
      onStop(container)
      await clock.sleep(random.integer(300))
      end(id, 143)
    },
    removeTask: async (id) => {
      const container = containers.get(id)
      if (container?.state === 'running') onStop(container)
      containers.delete(id)
      changed()
      await Promise.resolve()
    },
    ensureNetwork: async ({ name: network }) => await Promise.resolve(void networks.add(network)),
    removeNetwork: async (network) => await Promise.resolve(void networks.delete(network)),
    ensureVolume: async ({ name: volume }) => await Promise.resolve(void volumes.add(volume)),
    removeVolume: async (volume) => await Promise.resolve(void volumes.delete(volume)),
    resolveImage: async (reference) => {
      const id = images.get(reference)
      return await Promise.resolve(id === null ? undefined : (id ?? `sha256:${reference}`))
    },
    events: (listener) => {
      listeners.add(listener)
      return { [Symbol.dispose]: () => void listeners.delete(listener) }
    },
  }
  return {
    port,
    containers,
    volumes,
    images,
    refuseNext: (message) => void (refusal = message),
    adopt: (container) => void containers.set(container.id, container),
    fail: () => {
      for (const id of containers.keys()) end(id, 137)
      listeners.clear()
    },
    crashOne: () => {
      const running = [...containers.values()].filter((container) => container.state === 'running')
      const victim = running[random.integer(Math.max(1, running.length))]
      if (victim !== undefined) end(victim.id, 139)
    },
  }
}

const FRESH = {
  state: 'created',
  exitCode: 0,
  error: '',
  isOomKilled: false,
  startedAtMs: null,
  finishedAtMs: null,
  health: 'none',
  healthOutput: '',
  addresses: {},
} as const
