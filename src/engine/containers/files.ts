import { join } from 'node:path'

import type { Context } from './context.ts'
import { homeOf, logPathOf } from './paths.ts'
import type { ContainerFiles } from './port.ts'
import type { ContainerRecord } from './record.ts'

const NETWORK_OF = 'container:'

/** A container that shares another's network shares the files by which programs find names. */
export function filesOf(context: Context, { id, spec }: ContainerRecord): ContainerFiles {
  const { mode } = spec.network
  const holder = mode.startsWith(NETWORK_OF) ? (context.registry.tryFind(mode.slice(NETWORK_OF.length))?.record.id ?? id) : id
  const home = homeOf(context, holder)
  return {
    log: spec.log.driver === 'none' ? '' : logPathOf(context, id),
    hosts: join(home, 'hosts'),
    hostname: join(home, 'hostname'),
    resolvConf: join(home, 'resolv.conf'),
  }
}
