import type { Nodes, Operations } from '#cluster/operations'

import { apiError } from './errors.ts'
import { readNodeWish, readVerb } from './read-verb.ts'
import type { ApiAnswer, ApiRequest } from './request.ts'

export const SERVICE_HEADS: readonly string[] = ['services', 'tasks', 'history', 'nodes', 'rebalance']

export interface ServiceRoutePorts {
  readonly operations: Operations
  readonly nodes: Nodes
}

/** Routes about services, what happened to them, and the nodes that run them; undefined for none of them. */
export async function answerServices(
  { operations, nodes }: ServiceRoutePorts,
  request: ApiRequest,
): Promise<ApiAnswer | undefined> {
  const [head = '', name = '', rest = '', ...more] = request.segments
  const { query, signal } = request
  if (more.length > 0) return undefined
  switch (`${request.method} ${head}${name === '' ? '' : '/*'}${rest === '' ? '' : `/${rest}`}`) {
    case 'GET services':
      return { json: await operations.list() }
    case 'GET services/*':
      return { json: await operations.get(name) }
    case 'GET services/*/wait':
      return { lines: operations.watch(name, { revision: numberOf(query, 'revision') ?? null }, signal) }
    case 'POST services/*/preview':
      return { json: await operations.preview(name, readVerb(await request.body())) }
    case 'POST services/*/operations': {
      const planId = query.get('plan')
      const asked = { actor: request.actor(), ...(planId === null ? {} : { planId }) }
      return { json: await operations.perform(name, readVerb(await request.body()), asked) }
    }
    case 'GET tasks': {
      const isEnded = { 0: false, 1: true }[query.get('ended') ?? '']
      return { json: await operations.tasks(query.getAll('service'), isEnded === undefined ? {} : { isEnded }) }
    }
    case 'GET history':
      return { json: await operations.history(historyWish(query)) }
    case 'GET nodes':
      return { json: await nodes.list() }
    case 'GET nodes/*':
      return { json: await nodes.get(name) }
    case 'PUT nodes/*':
      return { json: await nodes.update(name, readNodeWish(await request.body())) }
    case 'GET rebalance':
      return { json: await nodes.moves() }
    case 'POST rebalance':
      return { json: await nodes.rebalance() }
    default:
      return undefined
  }
}

function historyWish(query: URLSearchParams) {
  const [services, limit, before] = [query.getAll('service'), numberOf(query, 'limit'), query.get('before')]
  return {
    ...(services.length === 0 ? {} : { services }),
    ...(limit === undefined ? {} : { limit }),
    ...(before === null ? {} : { before }),
  }
}

function numberOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name)
  if (text === null) return undefined
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw apiError('api.bad_request', `query parameter ${name}: ${JSON.stringify(text)} is not a number`)
}
