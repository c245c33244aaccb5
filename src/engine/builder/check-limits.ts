import { isIP } from 'node:net'

import { buildError } from './errors.ts'
import type { RunLimits } from './ports.ts'

/** getrlimit(2). */
const ULIMITS: ReadonlySet<string> = new Set(
  'as core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(' '),
)
/** A word of Docker's: the address by which a container reaches its host. */
const HOST_GATEWAY = 'host-gateway'

/** Refuses what no command could run with, before anything runs. Error: `build.limits_invalid`. */
export function checkLimits({ ulimits = [], extraHosts = [], cgroupParent = '' }: RunLimits): void {
  for (const { name, soft, hard } of ulimits) {
    if (!ULIMITS.has(name))
      throw invalid(`there is no limit ${JSON.stringify(name.slice(0, 100))}`, `There are ${[...ULIMITS].join(', ')}.`)
    if (!isLimit(soft) || !isLimit(hard))
      throw invalid(`the limit ${name} is ${soft}:${hard}, and neither a number nor -1 for none`)
    if (hard !== -1 && (soft === -1 || soft > hard)) throw invalid(`the limit ${name} is ${soft}, above its hard limit ${hard}`)
  }
  for (const host of extraHosts) {
    const [, name = '', address = ''] = /^([^:]+):(.+)$/.exec(host) ?? []
    if (/^[a-zA-Z0-9_]([a-zA-Z0-9._-]*)$/.test(name) && (isIP(address) !== 0 || address === HOST_GATEWAY)) continue
    throw invalid(`${JSON.stringify(host.slice(0, 200))} is not HOST:ADDRESS`, 'Give an IP address, or host-gateway.')
  }
  if (!/^[a-zA-Z0-9/_.@:-]*$/.test(cgroupParent) || cgroupParent.split('/').includes('..'))
    throw invalid(`${JSON.stringify(cgroupParent.slice(0, 200))} is no path of a cgroup`)
}

function isLimit(value: number): boolean {
  return Number.isSafeInteger(value) && value >= -1
}

function invalid(why: string, hint?: string) {
  return buildError('build.limits_invalid', `limits of the build: ${why}`, hint === undefined ? {} : { hint })
}
