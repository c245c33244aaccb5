import type { TaskFiles } from '#cluster/secrets'
import type { AttachmentSpec, NetworkSpec, ServicePortSpec, TaskTemplate, VolumeSpec } from '#cluster/spec'

/** What the cluster needs of a node. The daemon plugs the engine in here, tests a simulated one. */
export interface NodePort {
  /** Every container, also those that are not ours: the cluster looks at their labels. */
  listTasks(): Promise<readonly NodeTask[]>
  /** Names of the networks and volumes that exist. */
  listNetworks(): Promise<readonly string[]>
  listVolumes(): Promise<readonly string[]>
  /** Resolves to the task's id. It does not run yet. The name taken: a `conflict` error. The signal ends the wait for its image. */
  createTask(spec: TaskSpec, signal?: AbortSignal): Promise<string>
  /** Another name for a container that has ended, so that its own is free. Absent: fine. */
  renameTask(id: string, name: string): Promise<void>
  startTask(id: string): Promise<void>
  /** Asks it to end, and kills it after its grace period. Not running: fine. */
  stopTask(id: string): Promise<void>
  /** A running one is killed. Its anonymous volumes go with it. Absent: fine. */
  removeTask(id: string): Promise<void>
  /** There already: fine. */
  ensureNetwork(network: NodeNetwork): Promise<void>
  /** Absent: fine. */
  removeNetwork(name: string): Promise<void>
  ensureVolume(volume: NodeVolume): Promise<void>
  removeVolume(name: string): Promise<void>
  /** The image's id, or undefined when the node does not have it. */
  resolveImage(reference: string): Promise<string | undefined>
  /** Calls `changed` whenever something above may answer differently; it must not throw. */
  events(changed: () => void): Disposable
}

/** A container as the node sees it. */
export interface NodeTask {
  readonly id: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly state: 'created' | 'running' | 'paused' | 'restarting' | 'exited' | 'removing' | 'dead'
  readonly exitCode: number
  /** Why the last start failed; empty when it did not. */
  readonly error: string
  /** Why it is of no use any more though it runs, such as that what it shares has ended; absent: it is. */
  readonly lost?: string
  readonly isOomKilled: boolean
  /** Epoch milliseconds; null: never. */
  readonly startedAtMs: number | null
  readonly finishedAtMs: number | null
  readonly health: 'none' | 'starting' | 'healthy' | 'unhealthy'
  /** What the last health probe said; empty when there was none. */
  readonly healthOutput: string
  /** IPv4 address in each network that it is in, by the network's name. */
  readonly addresses: Readonly<Record<string, string>>
}

/** All that a node needs to make a task. Names of networks and volumes are those of the node. The engine must not restart it: the cluster does. */
export interface TaskSpec extends Omit<TaskTemplate, 'mounts' | 'networks'> {
  readonly name: string
  readonly imageId: string
  /** The node fetches the image when it has none: `task.image_missing` when it cannot. Absent: it has to be there. */
  readonly pulls?: boolean
  readonly mounts: readonly TaskMount[]
  readonly networks: readonly (Omit<AttachmentSpec, 'network'> & { readonly name: string })[]
  /** Published by the node itself, not by the router. */
  readonly hostPorts: readonly ServicePortSpec[]
  /** Secrets and configs; absent: none. The node asks for the values when it makes the container. */
  readonly files?: TaskFiles
}

/** `volume` is the name of a volume of the node here; null: an anonymous one. */
export type TaskMount = TaskTemplate['mounts'][number]

export interface NodeNetwork extends Omit<NetworkSpec, 'key' | 'isExternal'> {}

export interface NodeVolume extends Omit<VolumeSpec, 'key' | 'isExternal'> {}
