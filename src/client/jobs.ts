import type { JobView, RunEvent, RunView } from '#api/glovebox'

import { json, lines, segment } from './call.ts'
import { checked } from './checked.ts'
import type { Transport } from './transport.ts'

/** Jobs and their runs. `job`: `shop/backup`, a service's name or id; `run`: its name within the job, or its id. */
export interface JobCalls {
  list(): Promise<readonly JobView[]>
  inspect(job: string): Promise<JobView>
  /** The youngest first. */
  history(job: string): Promise<readonly RunView[]>
  /** A run now. */
  run(job: string): Promise<RunView>
  cancel(job: string, run: string): Promise<RunView>
  suspend(job: string): Promise<JobView>
  resume(job: string): Promise<JobView>
  /** What the tasks of a run wrote, with `follow` until it is over; between the lines the run itself after each change. */
  output(job: string, run: string, options: { readonly follow: boolean; readonly signal?: AbortSignal }): AsyncIterable<RunEvent>
}

const BASE = '/glovebox/v1/jobs'

export function jobCalls(transport: Transport): JobCalls {
  const one = (job: string) => `${BASE}/${segment(job)}`
  const setSuspended = async (job: string, isSuspended: boolean) =>
    await json<JobView>(transport, { method: 'PUT', path: `${one(job)}/suspension`, json: { isSuspended } })
  return {
    list: () => json(transport, { method: 'GET', path: BASE }),
    inspect: (job) => json(transport, { method: 'GET', path: one(job) }),
    history: (job) => json(transport, { method: 'GET', path: `${one(job)}/runs` }),
    run: (job) => json(transport, { method: 'POST', path: `${one(job)}/runs` }),
    cancel: (job, run) => json(transport, { method: 'DELETE', path: `${one(job)}/runs/${segment(run)}` }),
    suspend: (job) => setSuspended(job, true),
    resume: (job) => setSuspended(job, false),
    output: (job, run, { follow, signal }) =>
      checked(
        lines<RunEvent>(transport, {
          method: 'GET',
          path: `${one(job)}/output/${segment(run)}`,
          query: { follow: follow ? 1 : 0 },
          ...(signal === undefined ? {} : { signal }),
        }),
      ),
  }
}
