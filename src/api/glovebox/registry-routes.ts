import { apiError } from './errors.ts'
import type { RegistryPort } from './ports.ts'
import { readGrants, readPassword, readRules } from './read.ts'
import type { ApiRequest } from './request.ts'

/** Everybody, as a user. */
const ANYBODY = '*'

/** Routes below `/registry`; undefined for none of them. Names of repositories hold slashes and so come as one escaped segment. */
export async function answerRegistry(
  registry: RegistryPort,
  request: ApiRequest,
): Promise<{ readonly json: unknown } | undefined> {
  const [, kind = '', name = '', reference = ''] = request.segments
  switch (`${request.method} ${kind}${name === '' ? '' : '/*'}${reference === '' ? '' : '/*'}`) {
    case 'GET ':
      return { json: registry.status() }
    case 'GET repositories':
      return { json: registry.repositories() }
    case 'GET repositories/*':
      return { json: registry.content(name) }
    case 'DELETE repositories/*/*':
      await registry.remove(name, reference)
      return { json: { removed: `${name} ${reference}` } }
    case 'GET gc':
      return { json: await registry.collect({ isDryRun: true }) }
    case 'POST gc':
      return { json: await registry.collect({ isDryRun: false }) }
    case 'PUT rules':
      registry.setRules(readRules(await request.body()))
      return { json: registry.status().rules }
    case 'GET users':
      return { json: registry.accounts() }
    case 'PUT users/*': {
      const body = await request.body()
      const grants = readGrants(body)
      if (name === ANYBODY) registry.grantAnybody(grants)
      else await registry.putUser(name, readPassword(body), grants)
      return { json: { name, grants } }
    }
    case 'DELETE users/*':
      if (name === ANYBODY) throw apiError('api.bad_request', 'anybody cannot be removed: grant them nothing')
      registry.removeUser(name)
      return { json: { removed: name } }
    default:
      return undefined
  }
}
