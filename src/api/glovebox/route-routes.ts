import { apiError } from './errors.ts'
import type { RoutesPort } from './ports.ts'
import type { ApiAnswer, ApiRequest } from './request.ts'

/** Routes below `/routes`; undefined for none of them. Ids hold slashes and so come as one escaped segment. */
export async function answerRoutes(routes: RoutesPort, request: ApiRequest): Promise<ApiAnswer | undefined> {
  const [, id = '', part = ''] = request.segments
  switch (`${request.method}${id === '' ? '' : ' *'}${part === '' ? '' : ` ${part}`}`) {
    case 'GET':
      return { json: await routes.list() }
    case 'GET *':
      return { json: await routes.inspect(id) }
    case 'PUT * shares':
      return { json: await routes.shift(id, readShares(await request.body())) }
    default:
      return undefined
  }
}

function readShares(body: unknown): Readonly<Record<string, number>> | null {
  const shares: unknown = typeof body === 'object' && body !== null && 'shares' in body ? body.shares : undefined
  if (shares === null) return null
  if (typeof shares !== 'object' || Array.isArray(shares))
    throw apiError('api.bad_request', 'shares must be percentages by group, or null')
  const entries = Object.entries(shares ?? {})
  for (const [group, share] of entries) {
    if (typeof share !== 'number')
      throw apiError('api.bad_request', `shares.${group} must be a number, not ${JSON.stringify(share)}`)
  }
  if (entries.length === 0) throw apiError('api.bad_request', 'shares names no group')
  return Object.fromEntries(entries) as Record<string, number>
}
