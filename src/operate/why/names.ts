import { nearest } from '#base'
import { familiarText, parseReference, withDefaultTag } from '#oci/reference'

import type { Subject } from './diagnosis.ts'
import { whyError } from './errors.ts'
import type { RouteFacts, WhyFacts } from './facts.ts'
import { routeName } from './route-trouble.ts'
import { applicationSubject, serviceName, serviceSubjects, taskName, sceneOf, type Scene } from './scene.ts'

interface Named {
  readonly subject: Subject
  /** All that it may be called. */
  readonly names: readonly string[]
  /** Whose beginning is enough; empty: it has none. */
  readonly id: string
}

/** A host and a path; what is longer is no name of anything, and is compared with nothing. */
const LONGEST_NAME = 300
/** Less of an id than this is a slip. */
const SHORTEST_ID = 4

/** What has this name: an application, a service, a task, a container, a job, a route, a node or an image; several when the name does not tell them apart. Error: `why.unknown_name`. */
export function subjectsNamed(facts: WhyFacts, name: string): readonly Subject[] {
  const all = everything(sceneOf(facts))
  const wanted = [name, imageName(name)]
  const exact = all.filter(({ names, id }) => id === name || names.some((one) => wanted.includes(one)))
  if (exact.length > 0) return exact.map(({ subject }) => subject)
  const begun = name.length < SHORTEST_ID ? [] : all.filter(({ id }) => id.startsWith(name))
  if (begun.length > 0) return begun.map(({ subject }) => subject)
  const isName = name.length <= LONGEST_NAME
  const near = isName ? nearest(name, [...new Set(all.flatMap(({ names }) => names))].toSorted()) : undefined
  throw whyError('why.unknown_name', `nothing here is called ${isName ? name : `${name.slice(0, LONGEST_NAME)}…`}`, {
    hint:
      near === undefined
        ? 'Give an application, a service, a task, a container, a route, a job, a node or an image; or nothing, for all of it.'
        : `Did you mean ${near}?`,
  })
}

function everything(scene: Scene): readonly Named[] {
  const stacks = new Set(scene.services.flatMap(({ stack }) => stack ?? []))
  const images = new Set([
    ...scene.services.map(({ image }) => image),
    ...scene.containers.map(({ image }) => image),
    ...scene.pulls.map(({ image }) => image),
    ...scene.images.flatMap(({ names }) => names),
  ])
  return [
    ...[...stacks].map((stack) => named(applicationSubject(stack), [stack], '')),
    ...scene.services.flatMap((service) => {
      const [own] = serviceSubjects(service)
      const isAlone = scene.services.filter(({ shortName }) => shortName === service.shortName).length === 1
      return own === undefined
        ? []
        : [named(own, [serviceName(service), service.name, ...(isAlone ? [service.shortName] : [])], service.id)]
    }),
    ...scene.tasks.map((task) =>
      named({ kind: 'task', id: task.id, name: taskName(scene, task) }, taskNames(scene, task), task.id),
    ),
    ...scene.containers.map(({ id, name }) => named({ kind: 'container', id, name }, [name, `/${name}`], id)),
    ...scene.routes.map((route) => named({ kind: 'route', id: route.id, name: routeName(route) }, routeNames(route), '')),
    ...scene.nodes.map(({ id, hostname }) => named({ kind: 'node', id, name: hostname }, [hostname], id)),
    ...[...images].map((image) => named({ kind: 'image', id: image, name: image }, [image], '')),
  ]
}

function named(subject: Subject, names: readonly string[], id: string): Named {
  return { subject, names, id }
}

function taskNames(scene: Scene, task: WhyFacts['tasks'][number]): readonly string[] {
  const service = scene.serviceById(task.serviceId)
  const { stack = null } = service ?? {}
  return stack === null ? [task.name] : [`${stack}/${task.name}`, `${stack}_${task.name}`]
}

function routeNames(route: RouteFacts): readonly string[] {
  const { id, hosts, path, hostPort } = route
  const port = String(hostPort)
  const paths = path === '' || path === '/' ? [''] : [path, '']
  return [
    id,
    routeName(route),
    port,
    `:${port}`,
    ...hosts.flatMap((host) => paths.flatMap((one) => [`${host}${one}`, `${host}:${port}${one}`])),
    ...paths.filter((one) => one !== ''),
  ]
}

/** `busybox:latest`; the text itself when it is no name of an image. */
export function imageName(text: string): string {
  try {
    const reference = withDefaultTag(parseReference(text))
    return familiarText(reference.tag === null ? reference : { ...reference, digest: null })
  } catch {
    return text
  }
}
