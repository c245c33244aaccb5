import type { KeptSeries, RangeAnswer, RangeQuery, TargetStatus } from '#api/glovebox'

import { json } from './call.ts'
import type { Transport } from './transport.ts'

/** What was measured of the daemon's machine and of what runs on it. */
export interface MetricCalls {
  /** What is left out: the last hour up to now, a step a minute. */
  range(query: Pick<RangeQuery, 'selector' | 'fn'> & Partial<RangeQuery>): Promise<RangeAnswer>
  series(selector: string): Promise<readonly KeptSeries[]>
  /** Containers that are asked for metrics of their own. */
  targets(): Promise<readonly TargetStatus[]>
}

const BASE = '/glovebox/v1/metrics'

export function metricCalls(transport: Transport): MetricCalls {
  return {
    range: ({ by, ...query }) =>
      json(transport, {
        method: 'GET',
        path: `${BASE}/query`,
        query: { ...query, ...(by === undefined ? {} : { by: by.join(',') }) },
      }),
    series: (selector) => json(transport, { method: 'GET', path: `${BASE}/series`, query: { selector } }),
    targets: () => json(transport, { method: 'GET', path: `${BASE}/targets` }),
  }
}
