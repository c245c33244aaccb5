import type { RangeFunction, RangeQuery } from '#observe/history'

import { apiError } from './errors.ts'
import type { MetricsPort } from './ports.ts'
import type { ApiRequest } from './request.ts'

/**
 * Routes below `/metrics`; undefined for none of them. `GET query?selector=S&fn=F[&fromMs=N][&toMs=N][&stepS=N][&quantile=Q][&by=a,b]` `GET series?selector=S` and `GET targets`.
 */
export async function answerMetrics(metrics: MetricsPort, request: ApiRequest): Promise<{ readonly json: unknown } | undefined> {
  switch (`${request.method} ${request.segments.join('/')}`) {
    case 'GET metrics/query':
      return { json: await metrics.range(readRange(request.query)) }
    case 'GET metrics/series':
      return { json: metrics.series(readText(request.query, 'selector')) }
    case 'GET metrics/targets':
      return { json: metrics.targets() }
    default:
      return undefined
  }
}

const FUNCTIONS = ['rate', 'avg', 'max', 'last', 'quantile'] as const satisfies readonly RangeFunction[]

function readRange(query: URLSearchParams): Parameters<MetricsPort['range']>[0] {
  const text = readText(query, 'fn')
  const fn = FUNCTIONS.find((known) => known === text)
  if (fn === undefined)
    throw apiError('api.bad_request', `query parameter fn: ${JSON.stringify(text)} is none of ${FUNCTIONS.join(', ')}`)
  const by = query.get('by')
  return {
    selector: readText(query, 'selector'),
    fn,
    ...number(query, 'fromMs'),
    ...number(query, 'toMs'),
    ...number(query, 'stepS'),
    ...number(query, 'quantile'),
    ...(by === null ? {} : { by: by.split(',').filter((label) => label !== '') }),
  }
}

function number(query: URLSearchParams, name: 'fromMs' | 'toMs' | 'stepS' | 'quantile'): Partial<RangeQuery> {
  const text = query.get(name)
  if (text === null || text === '') return {}
  const value = Number(text)
  if (Number.isFinite(value)) return { [name]: value }
  throw apiError('api.bad_request', `query parameter ${name}: ${JSON.stringify(text)} is no number`)
}

function readText(query: URLSearchParams, name: string): string {
  const value = query.get(name)
  if (value !== null && value !== '') return value
  throw apiError('api.bad_request', `query parameter ${name} is missing`)
}
