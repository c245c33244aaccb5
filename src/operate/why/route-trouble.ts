import type { Diagnosis, Subject } from './diagnosis.ts'
import type { RouteFacts, ServiceFacts } from './facts.ts'
import { serviceName, serviceSubjects, type Scene } from './scene.ts'
import { counted, quoted, sentence } from './words.ts'

/** Ways in that lead nowhere. */
export function diagnoseRoutes(scene: Scene): readonly Diagnosis[] {
  return scene.routes.flatMap((route) => {
    const service = route.serviceId === null ? undefined : scene.serviceById(route.serviceId)
    if (service?.state === 'removing') return []
    return [problemOf(route, service) ?? [], nobodyBehind(route, service) ?? []].flat()
  })
}

/** `shop.example/api on port 443`, `port 8080`. */
export function routeName({ hosts, path, hostPort, hostIp }: RouteFacts): string {
  const port = hostIp === '' ? `port ${hostPort}` : `port ${hostPort} of ${hostIp}`
  const where = `${hosts.join(', ')}${path === '' || path === '/' ? '' : path}`
  return where === '' ? port : `${where} on ${port}`
}

function subjects(route: RouteFacts, service: ServiceFacts | undefined): readonly Subject[] {
  const own: Subject = { kind: 'route', id: route.id, name: routeName(route) }
  return service === undefined ? [own] : [own, ...serviceSubjects(service).filter(({ kind }) => kind !== 'image')]
}

function problemOf(route: RouteFacts, service: ServiceFacts | undefined): Diagnosis | null {
  const { problem } = route
  if (problem === null) return null
  const inUse = /port (\d+) on (\S+) is in use(?: by (.+))?$/.exec(problem)
  const isCertificate = inUse === null && route.certificate !== null && /certificate/i.test(problem)
  const whose = service === undefined ? '' : `, which leads to ${serviceName(service)},`
  const base = { about: subjects(route, service), because: [], evidence: [quoted(problem)], sinceMs: null }
  if (inUse !== null)
    return {
      ...base,
      code: 'route.port_in_use',
      severity: 'failure',
      sentence: sentence(
        `${routeName(route)}${whose} is not served: the port is in use${inUse[3] === undefined ? '' : ` by ${inUse[3]}`}`,
      ),
      advice: 'Publish another port, or stop what listens there; it is tried again by itself.',
    }
  if (isCertificate)
    return {
      ...base,
      code: 'route.certificate',
      severity: 'failure',
      sentence: sentence(`${routeName(route)}${whose} has no certificate that clients trust: ${quoted(problem)}`),
      advice:
        route.certificate === 'acme'
          ? 'The authority has to reach this machine on port 80 under that name, and we the authority; it is tried again by itself.'
          : 'See that the files are there, belong together and are not too old.',
    }
  return {
    ...base,
    code: 'route.not_served',
    severity: 'failure',
    sentence: sentence(`${routeName(route)}${whose} is not served: ${quoted(problem)}`),
    advice: '`glovebox route ls` shows all routes; put right what the reason names.',
  }
}

function nobodyBehind(route: RouteFacts, service: ServiceFacts | undefined): Diagnosis | null {
  const ready = route.backends.filter(({ isUp, state }) => isUp && state === 'ready')
  if (ready.length > 0 || route.problem !== null) return null
  const isWished = service?.desiredTasks === 0 && !service.isJob
  const { unanswered, backends } = route
  const name = service === undefined ? 'what it leads to' : serviceName(service)
  return {
    code: 'route.no_backend',
    severity: isWished ? 'note' : 'failure',
    about: subjects(route, service),
    because: service === undefined ? [] : serviceSubjects(service).slice(0, 1),
    sentence: sentence(`${routeName(route)} has nobody to answer: no task of ${name} is ready`),
    evidence: [
      backends.length === 0 ? 'it has no backends' : `${counted(backends.length, 'backend')}, none of them ready and up`,
      ...(service === undefined
        ? []
        : [`${serviceName(service)}: ${service.readyTasks} of ${service.desiredTasks} tasks are ready`]),
      ...(unanswered === 0 ? [] : [`${counted(unanswered, 'request')} got an error instead of an answer`]),
    ],
    advice:
      service === undefined
        ? 'See what listens there.'
        : isWished
          ? `Give ${name} replicas again.`
          : `See why: \`glovebox why ${name}\`.`,
    sinceMs: null,
  }
}
