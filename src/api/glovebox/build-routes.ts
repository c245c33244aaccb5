import { readCachePrune } from './build-wish.ts'
import { readContextList, readWish } from './builds.ts'
import type { BuildsPort } from './ports.ts'
import type { ApiAnswer, ApiRequest } from './request.ts'

/** Routes below `/builds`; undefined for none of them. */
export async function answerBuilds(builds: BuildsPort, request: ApiRequest): Promise<ApiAnswer | undefined> {
  const [, ...rest] = request.segments
  switch (`${request.method} ${rest.join('/')}`) {
    case 'POST contexts': {
      const { key, entries } = await readContextList(request.raw)
      return { json: await builds.compare(key, entries) }
    }
    case 'POST contexts/files':
      return { json: { session: await builds.store(request.query.get('session') ?? '', request.raw) } }
    case 'POST ': {
      const { wish, rest: bodies } = await readWish(request.raw)
      return { lines: builds.build(request.query.get('session') ?? '', wish, bodies, request.signal) }
    }
    case 'GET outputs':
      return { bytes: builds.output(request.query.get('token') ?? '', request.signal) }
    case 'GET attestations':
      return { json: builds.attestations(request.query.get('image') ?? '') }
    case 'GET cache':
      return { json: builds.kept() }
    case 'POST prune':
      return { json: await builds.prune(readCachePrune(await request.body())) }
    default:
      return undefined
  }
}
