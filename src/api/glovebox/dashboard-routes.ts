import { apiError } from './errors.ts'
import type { DashboardPort } from './ports.ts'
import type { ApiRequest } from './request.ts'
import type { DashboardUserChange } from './wire-dashboard.ts'

const ROLES = ['viewer', 'operator', 'admin'] as const
/** Whoever reaches the socket. */
const BY = 'the command line'

/** Routes below `/dashboard`; undefined for none of them. */
export async function answerDashboard(
  dashboard: DashboardPort,
  request: ApiRequest,
): Promise<{ readonly json: unknown } | undefined> {
  const [, head = '', name = '', ...more] = request.segments
  if (more.length > 0) return undefined
  switch (`${request.method} ${head}${name === '' ? '' : '/*'}`) {
    case 'GET ':
      return { json: await dashboard.status() }
    case 'POST open':
      return { json: await dashboard.open() }
    case 'GET users':
      return { json: await dashboard.users() }
    case 'PUT users/*':
      await dashboard.putUser(name, readChange(await request.body()), BY)
      return { json: { name } }
    case 'DELETE users/*':
      await dashboard.removeUser(name, BY)
      return { json: { removed: name } }
    default:
      return undefined
  }
}

function readChange(body: unknown): DashboardUserChange {
  const { role, password } = (body ?? {}) as Readonly<Record<string, unknown>>
  const known = ROLES.find((one) => one === role)
  if (role !== undefined && known === undefined)
    throw apiError('api.bad_request', `role: ${JSON.stringify(role)} is none of ${ROLES.join(', ')}`)
  if (password !== undefined && typeof password !== 'string') throw apiError('api.bad_request', 'password must be a text')
  return { ...(known === undefined ? {} : { role: known }), ...(password === undefined ? {} : { password }) }
}
