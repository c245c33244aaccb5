import type { Subject } from './diagnosis.ts'
import type { ContainerFacts, ServiceFacts, TaskFacts, WhyFacts } from './facts.ts'

/** The facts with what belongs together beside each other. */
export interface Scene extends WhyFacts {
  serviceById(id: string): ServiceFacts | undefined
  /** By its name inside an application. */
  serviceNamed(stack: string | null, shortName: string): ServiceFacts | undefined
  tasksOf(serviceId: string): readonly TaskFacts[]
  containerOf(task: TaskFacts): ContainerFacts | undefined
  taskOf(container: ContainerFacts): TaskFacts | undefined
  containerById(id: string): ContainerFacts | undefined
  imageOf(reference: string): Subject
  /** It has fewer tasks than wanted, and its image is not here. */
  lacksImage(service: ServiceFacts): boolean
}

export function sceneOf(facts: WhyFacts): Scene {
  const services = new Map(facts.services.map((service) => [service.id, service]))
  const tasks = Map.groupBy(facts.tasks, (task) => task.serviceId)
  const byTask = new Map(
    facts.containers.flatMap((container) => (container.taskId === null ? [] : [[container.taskId, container]])),
  )
  const here = new Set(facts.images.flatMap(({ names }) => names))
  const byId = new Map(facts.containers.map((container) => [container.id, container]))
  const tasksById = new Map(facts.tasks.map((task) => [task.id, task]))
  return {
    ...facts,
    serviceById: (id) => services.get(id),
    serviceNamed: (stack, shortName) => facts.services.find((one) => one.stack === stack && one.shortName === shortName),
    tasksOf: (serviceId) => tasks.get(serviceId) ?? [],
    containerOf: (task) => byTask.get(task.id) ?? (task.containerId === null ? undefined : byId.get(task.containerId)),
    taskOf: (container) => (container.taskId === null ? undefined : tasksById.get(container.taskId)),
    containerById: (id) => byId.get(id),
    lacksImage: ({ imageId, image, readyTasks, desiredTasks }) =>
      imageId === null && !here.has(image) && readyTasks < Math.max(1, desiredTasks),
    imageOf: (reference) => ({ kind: 'image', id: reference, name: reference }),
  }
}

/** `shop/web`, or just its name when it stands alone. */
export function serviceName({ stack, name, shortName }: Pick<ServiceFacts, 'stack' | 'name' | 'shortName'>): string {
  return stack === null ? name : `${stack}/${shortName}`
}

export function taskName(scene: Scene, task: TaskFacts): string {
  const stack = scene.serviceById(task.serviceId)?.stack ?? null
  return stack === null ? task.name : `${stack}/${task.name}`
}

export function serviceSubjects(service: ServiceFacts): readonly Subject[] {
  const kind = service.isJob ? 'job' : 'service'
  const own: Subject = { kind, id: service.id, name: serviceName(service) }
  const image: Subject = { kind: 'image', id: service.image, name: service.image }
  return service.stack === null ? [own, image] : [own, applicationSubject(service.stack), image]
}

export function applicationSubject(stack: string): Subject {
  return { kind: 'application', id: stack, name: stack }
}

export function taskSubjects(scene: Scene, task: TaskFacts): readonly Subject[] {
  const service = scene.serviceById(task.serviceId)
  const container = scene.containerOf(task)
  return [
    { kind: 'task', id: task.id, name: taskName(scene, task) },
    ...(container === undefined ? [] : [containerSubject(container)]),
    ...(service === undefined ? [] : serviceSubjects(service)),
  ]
}

/** With the task and the service that it belongs to. */
export function containerSubjects(scene: Scene, container: ContainerFacts): readonly Subject[] {
  const task = scene.taskOf(container)
  const own = containerSubject(container)
  if (task === undefined) return [own, scene.imageOf(container.image)]
  return [own, ...taskSubjects(scene, task).filter(({ kind }) => kind !== 'container')]
}

/** What people call it: a task by its task's name. */
export function whoIs(scene: Scene, container: ContainerFacts): string {
  const task = scene.taskOf(container)
  return task === undefined ? container.name : taskName(scene, task)
}

function containerSubject({ id, name }: ContainerFacts): Subject {
  return { kind: 'container', id, name }
}
