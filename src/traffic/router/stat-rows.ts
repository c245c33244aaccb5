import { NO_COUNTS } from './histogram.ts'
import type { MetricCounts } from './port.ts'
import { table } from './runtime-state.ts'

/** Counters of one server, or of a section as a whole, since its worker started. */
export interface StatRow {
  readonly section: string
  /** Empty: the section as a whole. */
  readonly server: string
  readonly counts: MetricCounts
  /** Requests that wait now. */
  readonly queued: number
}

/** HAProxy 2.6 management guide, section 9.1: the columns of `show stat`. */
export function parseStatRows(text: string): readonly StatRow[] {
  return table(text, ',').flatMap((row) => {
    const name = row.get('svname') ?? ''
    if (name === 'FRONTEND') return []
    const of = (column: string) => Number(row.get(column) || 0) || 0
    const counts: MetricCounts = {
      ...NO_COUNTS,
      requests: of('stot'),
      responses2xx: of('hrsp_2xx'),
      responses3xx: of('hrsp_3xx'),
      responses4xx: of('hrsp_4xx'),
      responses5xx: of('hrsp_5xx'),
      otherResponses: of('hrsp_1xx') + of('hrsp_other'),
      failures: of('econ') + of('eresp') + of('srv_abrt'),
      redispatches: of('wredis'),
      bytesIn: of('bin'),
      bytesOut: of('bout'),
    }
    return [{ section: row.get('pxname') ?? '', server: name === 'BACKEND' ? '' : name, counts, queued: of('qcur') }]
  })
}
