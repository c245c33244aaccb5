import { apiError } from './errors.ts'
import type { PolicyPort } from './ports.ts'
import type { ApiRequest } from './request.ts'

/** Routes below `/policy`, and `/addresses`; undefined for none of them. */
export async function answerPolicy(policy: PolicyPort, request: ApiRequest): Promise<{ readonly json: unknown } | undefined> {
  switch (`${request.method} ${request.segments.join('/')}`) {
    case 'GET policy':
      return { json: await policy.report() }
    case 'GET policy/check':
      return { json: policy.check(readText(request.query, 'from'), readText(request.query, 'to')) }
    case 'GET addresses/explain':
      return { json: policy.explain(readText(request.query, 'from'), readText(request.query, 'name')) }
    case 'GET addresses':
      return { json: policy.addresses() }
    default:
      return undefined
  }
}

function readText(query: URLSearchParams, name: string): string {
  const value = query.get(name)
  if (value !== null && value !== '') return value
  throw apiError('api.bad_request', `query parameter ${name} is missing`)
}
