import { readFileSync } from 'node:fs'

import type { ContainerId } from '#base'

import type { Context } from './context.ts'
import { gatewayEndpoint } from './gateways.ts'
import { hostnameText, hostsText, parseResolvConf, resolvConfText } from './identity-files.ts'
import type { IdentityFiles, IdentityOptions } from './port.ts'

/** Without a sandbox of its own the container is on the host's network: it sees what the host sees, its loopback name server too. */
export function identityFiles(
  { state, nameService, readResolvConf }: Context,
  containerId: ContainerId,
  options: IdentityOptions,
): IdentityFiles {
  const sandbox = state.sandboxes.get(containerId)
  const { hostname, domainname = '', nameServers = [], searchDomains = [], resolverOptions = [], extraHosts = [] } = options
  const host = parseResolvConf(readResolvConf())
  const resolver = { host, nameServers, searchDomains, resolverOptions }
  if (sandbox === undefined)
    return {
      resolvConf: resolvConfText({
        ...resolver,
        hasNameService: false,
        nameServers: nameServers.length > 0 ? nameServers : host.nameServers,
      }),
      hosts: hostsText({
        hostname: '',
        domainname: '',
        addresses: [],
        extraHosts,
        hostGateway: '127.0.0.1',
        base: readFileSync('/etc/hosts', 'utf8'),
      }),
      hostname: hostnameText(hostname),
    }
  const gateway = gatewayEndpoint(sandbox.endpoints, 4)?.gateway ?? gatewayEndpoint(sandbox.endpoints, 6)?.ipv6Gateway
  return {
    resolvConf: resolvConfText({ ...resolver, hasNameService: nameService.isNeeded(sandbox) }),
    hosts: hostsText({
      hostname,
      domainname,
      addresses: sandbox.endpoints
        .flatMap(({ ipAddress, ipv6Address }) => [ipAddress, ipv6Address])
        .filter((address) => address !== ''),
      extraHosts,
      hostGateway: gateway === '' ? undefined : gateway,
    }),
    hostname: hostnameText(hostname),
  }
}
