import { apiError } from './errors.ts'
import type { JobsPort } from './ports.ts'
import { readFlag } from './read.ts'
import type { ApiAnswer, ApiRequest } from './request.ts'

/** Routes below `/jobs`; undefined for none of them. Names of jobs may hold a slash and so come as one escaped segment. */
export async function answerJobs(jobs: JobsPort, request: ApiRequest): Promise<ApiAnswer | undefined> {
  const [, name = '', part = '', run = ''] = request.segments
  const shape = [
    request.method,
    ...(name === '' ? [] : ['*']),
    ...(part === '' ? [] : [part]),
    ...(run === '' ? [] : ['*']),
  ].join(' ')
  switch (shape) {
    case 'GET':
      return { json: await jobs.list() }
    case 'GET *':
      return { json: await jobs.get(name) }
    case 'PUT * suspension':
      return { json: await (readSuspension(await request.body()) ? jobs.suspend(name) : jobs.resume(name)) }
    case 'GET * runs':
      return { json: await jobs.history(name) }
    case 'POST * runs':
      return { json: await jobs.run(name, request.actor().by) }
    case 'GET * runs *':
      return { json: await jobs.runOf(name, run) }
    case 'DELETE * runs *':
      return { json: await jobs.cancel(name, run, request.actor().by) }
    case 'GET * output *':
      return { lines: jobs.output(name, run, { follow: readFlag(request.query, 'follow') }, request.signal) }
    default:
      return undefined
  }
}

function readSuspension(body: unknown): boolean {
  const value: unknown = typeof body === 'object' && body !== null && 'isSuspended' in body ? body.isSuspended : undefined
  if (typeof value === 'boolean') return value
  throw apiError('api.bad_request', `isSuspended must be true or false, not ${JSON.stringify(value) ?? 'nothing'}`)
}
