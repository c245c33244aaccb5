import { networkError } from './errors.ts'

/** What the driver options of one endpoint mean (`--network name=x,driver-opt=...`). */
export interface EndpointSettings {
  /** Name of the link in the container; empty: chosen. */
  readonly guestLink: string
  /** With `IFNAME`, in any case of letters, where the link's name goes. */
  readonly sysctls: readonly { readonly name: string; readonly value: string }[]
}

const PREFIX = 'com.docker.network.endpoint.'
const MAX_LINK_NAME = 15
/** `net.ipv4.conf.IFNAME.log_martians`: the link's name is the fourth part, so that nothing but this link is touched. Some clients write it small. */
const SYSCTL = /^net\.(?:ipv4|ipv6|mpls)\.[a-z_]+\.ifname\.[a-z0-9_]+$/i

/** Errors: `network.invalid`, and `network.unsupported` for an option that is not known. */
export function endpointSettings(containerName: string, options: Readonly<Record<string, string>>): EndpointSettings {
  const what = `endpoint of ${containerName}`
  const unknown = Object.keys(options).find((key) => key !== `${PREFIX}ifname` && key !== `${PREFIX}sysctls`)
  if (unknown !== undefined)
    throw networkError('network.unsupported', `${what}: driver option ${unknown} is not supported`, {
      hint: `Known are ${PREFIX}ifname and ${PREFIX}sysctls.`,
    })
  const guestLink = options[`${PREFIX}ifname`] ?? ''
  if (guestLink !== '' && (guestLink.length > MAX_LINK_NAME || !/^[A-Za-z0-9_.-]+$/.test(guestLink) || guestLink === 'lo'))
    throw networkError(
      'network.invalid',
      `${what}: ${PREFIX}ifname: ${JSON.stringify(guestLink)} cannot be the name of a link (1 to ${MAX_LINK_NAME} letters, not lo)`,
    )
  return { guestLink, sysctls: sysctlsOf(what, options[`${PREFIX}sysctls`] ?? '') }
}

function sysctlsOf(what: string, text: string): EndpointSettings['sysctls'] {
  if (text === '') return []
  return text.split(',').map((entry) => {
    const equals = entry.indexOf('=')
    const name = entry.slice(0, Math.max(equals, 0))
    if (!SYSCTL.test(name))
      throw networkError('network.invalid', `${what}: ${PREFIX}sysctls: ${JSON.stringify(entry)} is not one of this link`, {
        hint: 'Write net.ipv4.conf.IFNAME.log_martians=1, with the word IFNAME, several separated by commas.',
      })
    return { name, value: entry.slice(equals + 1) }
  })
}

/** Slashes, for a link's name may have dots. */
export function sysctlPath(name: string, guestLink: string): string {
  return name
    .split('.')
    .map((part) => (/^ifname$/i.test(part) ? guestLink : part))
    .join('/')
}
