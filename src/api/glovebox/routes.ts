import { answerBuilds } from './build-routes.ts'
import { answerCommand } from './command-route.ts'
import { answerDashboard } from './dashboard-routes.ts'
import { apiError } from './errors.ts'
import type { GloveboxApiPorts } from './ports.ts'
import type { ApiAnswer, ApiRequest } from './request.ts'
import { answerMetrics } from './metric-routes.ts'
import { answerEnvironments } from './environment-routes.ts'
import { answerJobs } from './job-routes.ts'
import { answerPolicy } from './policy-routes.ts'
import { answerRegistry } from './registry-routes.ts'
import { answerRoutes } from './route-routes.ts'
import { answerSecrets } from './secret-routes.ts'
import { answerServices, SERVICE_HEADS } from './service-routes.ts'
import { readFlag, readShutdown, readStackDesired, readReference, readWords } from './read.ts'

/** What each route does. Errors go through; an unknown path is `api.no_such_route`. */
export async function answer(ports: GloveboxApiPorts, request: ApiRequest): Promise<ApiAnswer> {
  const [head = '', name = '', rest = '', ...more] = request.segments
  const shape = `${request.method} ${head}${name === '' ? '' : ['images', 'gc'].includes(head) ? `/${name}` : '/*'}${rest === '' ? '' : `/${rest}`}`
  if (more.length > 1) throw unknownRoute(request)
  if (head === 'registry') {
    const found = await answerRegistry(ports.registry, request)
    if (found === undefined) throw unknownRoute(request)
    return found
  }
  if (head === 'builds') {
    const found = await answerBuilds(ports.builds, request)
    if (found === undefined) throw unknownRoute(request)
    return found
  }
  if (['secrets', 'configs', 'secret-key'].includes(head)) {
    const found = await answerSecrets(ports.secrets, request)
    if (found === undefined) throw unknownRoute(request)
    return found
  }
  if (head === 'environments') {
    const found = await answerEnvironments(ports.environments, request)
    if (found === undefined) throw unknownRoute(request)
    return found
  }
  if (head === 'jobs') {
    const found = await answerJobs(ports.jobs, request)
    if (found === undefined) throw unknownRoute(request)
    return found
  }
  if (head === 'dashboard' && ports.dashboard !== undefined) {
    const found = await answerDashboard(ports.dashboard, request)
    if (found === undefined) throw unknownRoute(request)
    return found
  }
  if (head === 'routes') {
    const found = await answerRoutes(ports.routes, request)
    if (found === undefined) throw unknownRoute(request)
    return found
  }
  if (SERVICE_HEADS.includes(head)) {
    const found = await answerServices(ports, request)
    if (found === undefined) throw unknownRoute(request)
    return found
  }
  if (head === 'policy' || head === 'addresses') {
    const found = await answerPolicy(ports.policy, request)
    if (found === undefined) throw unknownRoute(request)
    return found
  }
  if (head === 'metrics') {
    const found = await answerMetrics(ports.metrics, request)
    if (found === undefined) throw unknownRoute(request)
    return found
  }
  if (more.length > 0) throw unknownRoute(request)
  switch (shape) {
    case 'GET stacks':
      return { json: ports.stacks.list() }
    case 'GET stacks/*':
      return { json: ports.stacks.get(name) }
    case 'PUT stacks/*':
      return { json: await ports.stacks.put(name, readStackDesired(await request.body()), askedOf(request)) }
    case 'POST stacks/*/preview':
      return { json: await ports.stacks.preview(name, readStackDesired(await request.body())) }
    case 'GET stacks/*/removal':
      return { json: await ports.stacks.previewRemoval(name, { volumes: readFlag(request.query, 'volumes') }) }
    case 'GET stacks/*/wait':
      return { lines: ports.stacks.watch(name, request.signal) }
    case 'DELETE stacks/*':
      await ports.stacks.remove(name, {
        volumes: readFlag(request.query, 'volumes'),
        signal: request.signal,
        actor: request.actor(),
      })
      return { json: { removed: name } }
    case 'POST images/bootstrap':
      return { lines: ports.bootstrap.bootstrap(readReference(await request.body()), request.signal) }
    case 'GET containers/*/anatomy':
      return { json: await ports.anatomy.anatomy(name) }
    case 'GET processes':
      return { json: await ports.processes.processes(request.query.getAll('container')) }
    case 'GET doctor':
      return { json: await ports.doctor.findings() }
    case 'GET why':
      return { json: await ports.why.why(readName(request.query)) }
    case 'GET gc':
      return { json: ports.collection.report() }
    case 'GET gc/preview':
      return { json: ports.collection.preview() }
    case 'POST gc':
      return { json: await ports.collection.collect() }
    case 'POST command-line': {
      const text = await ports.commandLine?.output(readWords(await request.body()))
      // Not ours to draw: whoever asked runs the command instead.
      if (typeof text !== 'string') throw unknownRoute(request)
      return { text }
    }
    case 'POST command-line/*': {
      if (name !== 'run' || ports.commandLine === undefined) throw unknownRoute(request)
      return await answerCommand(ports.commandLine, request)
    }
    case 'POST shutdown': {
      const report = await ports.shutdown.prepare(readShutdown(await request.body()))
      return { json: report, afterwards: () => ports.shutdown.leave() }
    }
    default:
      throw unknownRoute(request)
  }
}

function askedOf({ query, actor }: ApiRequest) {
  const planId = query.get('plan')
  return { actor: actor(), ...(planId === null ? {} : { planId }) }
}

function unknownRoute(request: ApiRequest): Error {
  return apiError('api.no_such_route', `no such route: ${request.method} /${request.segments.join('/')}`)
}

/** Empty is as good as none: everything is meant. */
function readName(query: URLSearchParams): string | null {
  const name = query.get('name') ?? ''
  return name === '' ? null : name
}
