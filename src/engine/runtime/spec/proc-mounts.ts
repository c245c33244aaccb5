import type { RuntimeMount } from '#oci/runtime-spec'

import { specError } from './errors.ts'

/** Files that tools which make containers look like machines of their own mount: they tell, and order nothing. */
const HARMLESS: ReadonlySet<string> = new Set(
  'cpuinfo diskstats meminfo stat swaps uptime loadavg slabinfo net/dev sys/kernel/ns_last_pid sys/crypto/fips_enabled'
    .split(' ')
    .map((name) => `/proc/${name}`),
)

/**
 * Refuses a mount that would stand in for what /proc tells and protects: a false one takes the masks with it, and what the OCI runtime writes
 * there to confine the process goes nowhere. `resolved`: where the target leads inside the root. Error: `spec.invalid`.
 */
export function checkProcMount({ destination, source, type }: RuntimeMount, resolved: string): void {
  if (type === 'proc' || (resolved === '/proc' && source === '/proc')) return
  if (resolved === '/proc')
    throw specError('spec.invalid', `${JSON.stringify(destination)} cannot be mounted because it is not of type proc`)
  if (resolved.startsWith('/proc/') && !HARMLESS.has(resolved))
    throw specError('spec.invalid', `${JSON.stringify(destination)} cannot be mounted because it is inside /proc`)
}
