import { formatBytes } from '#base'

import { ageText } from './policy.ts'
import type { RemovalReason } from './port.ts'

/** `unused for 9 days (limit 7 days)` */
export function reasonText(reason: RemovalReason): string {
  if (reason.kind === 'disk')
    return `unused for ${ageText(reason.idleMs)}, and only ${formatBytes(reason.availableBytes)} of the disk were free (limit ${formatBytes(reason.minFreeBytes)})`
  const limit = `(limit ${ageText(reason.limitMs)})`
  return reason.kind === 'untagged'
    ? `without a name and unused for ${ageText(reason.idleMs)} ${limit}`
    : `unused for ${ageText(reason.idleMs)} ${limit}`
}
