import type { IncomingMessage } from 'node:http'

import { dashboardError } from './errors.ts'

/**
 * Refuses what a page of another site had the browser send. Browsers say where a request comes from in headers that pages cannot set (Fetch
 * Metadata, and Origin of RFC 6454 on whatever is no plain GET); programs that are no browsers say nothing, and have no cookie to abuse.
 * Error: `dashboard.forged`.
 */
export function refuseOtherOrigins({ headers }: IncomingMessage, demand: { readonly mustSay: boolean }): void {
  const site = headers['sec-fetch-site']
  const { origin, host } = headers
  const isForeign =
    (site !== undefined && site !== 'same-origin' && site !== 'none') ||
    (origin !== undefined && !isSameHost(origin, host)) ||
    (demand.mustSay && origin === undefined)
  if (isForeign) throw dashboardError('dashboard.forged', 'the request comes from another site')
}

function isSameHost(origin: string, host: string | undefined): boolean {
  try {
    return host !== undefined && new URL(origin).host === new URL(`http://${host}`).host
  } catch {
    return false
  }
}
