import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'

import { messageOf } from '#base'

import { buildError } from '../errors.ts'
import { createAddressGuard } from './addresses.ts'

/**
 * The address to ask for a host. What the name means is looked at here and nowhere later: whoever connects uses this very address, so that a
 * name that means something else the next time gains nothing. Errors: `build.remote_refused`, `build.remote_failed`.
 */
export async function addressOf(
  hostname: string,
  isHostNetworkAllowed: boolean,
): Promise<{ readonly address: string; readonly family: 4 | 6 }> {
  const plain = hostname.replace(/^\[|\]$/g, '')
  const literal = isIP(plain)
  const found = literal === 0 ? await lookedUp(plain) : [{ address: plain, family: literal }]
  const guard = createAddressGuard()
  const refused = isHostNetworkAllowed ? undefined : found.find(({ address }) => guard.isRefused(address))
  if (refused !== undefined)
    throw buildError(
      'build.remote_refused',
      `${hostname} is ${refused.address}, an address of this machine, its link or a metadata service, which builds may not ask`,
      { hint: 'Build with --allow network.host (or --network host) if that is what you want.' },
    )
  const [first] = found
  if (first === undefined) throw buildError('build.remote_failed', `the host ${hostname} has no address`)
  return { address: first.address, family: first.family === 6 ? 6 : 4 }
}

async function lookedUp(hostname: string) {
  try {
    return await lookup(hostname, { all: true })
  } catch (error) {
    throw buildError('build.remote_failed', `the host ${hostname} is not found: ${messageOf(error)}`, { cause: error })
  }
}
