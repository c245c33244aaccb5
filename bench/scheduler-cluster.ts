import type { PendingTask, SchedulableNode, TaskGroup } from '#cluster/scheduler'

const GIB = 1024 ** 3

/** Nodes in three zones with an SSD in four of five: enough room for 40 of the tasks below on each. */
export function benchNodes(count: number): readonly SchedulableNode[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `node-${index}`,
    isReady: true,
    availability: 'active',
    hostname: `host-${index}`,
    role: index < 3 ? 'manager' : 'worker',
    platform: { os: 'linux', architecture: 'amd64' },
    labels: { zone: `z${index % 3}`, disk: index % 5 === 0 ? 'hdd' : 'ssd' },
    engineLabels: {},
    address: '10.0.0.1',
    nanoCpus: 16e9,
    memoryBytes: 64 * GIB,
    volumes: [],
  }))
}

export function benchGroup(index: number, part: Partial<TaskGroup>): TaskGroup {
  return {
    serviceId: `service-${index}`,
    serviceName: `service-${index}`,
    revision: 1,
    priority: 0,
    nanoCpus: 4e8,
    memoryBytes: 1.5 * GIB,
    constraints: [],
    platforms: [],
    spread: [],
    affinities: [],
    maxPerNode: 0,
    hostPorts: [],
    volumes: [],
    ...part,
  }
}

/** `tasks` tasks of `services` services. */
export function benchTasks(tasks: number, services: number, part: Partial<TaskGroup>): readonly PendingTask[] {
  const groups = Array.from({ length: services }, (_, index) => benchGroup(index, part))
  return Array.from({ length: tasks }, (_, index) => {
    const group = groups[index % services]
    if (group === undefined) throw new Error('a group is missing')
    return { id: `task-${index}`, group, onlyNode: null }
  })
}
