import { isSet, list, naming, number, text } from '../args/flags.ts'
import { command } from '../command.ts'
import { compact } from '../run/compact.ts'
import { pairs } from '../run/pairs.ts'

export const networkConnect = command({
  name: 'network connect',
  usage: '[FLAGS] NETWORK CONTAINER',
  summary: 'Give a container a place on another network, running or not.',
  examples: [['network connect --alias db app postgres', 'known there as db']],
  flags: {
    alias: list('NAME', 'Further name on the network'),
    ip: text('ADDRESS', 'IPv4 address'),
    ip6: text('ADDRESS', 'IPv6 address'),
    link: naming('container', list('CONTAINER[:NAME]', 'Know another container by a name')),
    'link-local-ip': list('ADDRESS', 'Link-local address'),
    'driver-opt': list('NAME=VALUE', 'Option of the driver'),
    'gw-priority': number('N', 'The network with the highest has the default route'),
  },
  operands: { min: 2, max: 2 },
  completes: ['network', 'container'],
  run: async ({ flags, operands: [network = '', container = ''] }, context) => {
    const addresses = compact({ IPv4Address: flags.ip, IPv6Address: flags.ip6, LinkLocalIPs: flags['link-local-ip'] })
    const endpoint = compact({
      Aliases: flags.alias,
      Links: flags.link,
      IPAMConfig: addresses,
      DriverOpts: pairs(flags['driver-opt']),
      GwPriority: flags['gw-priority'],
    })
    await (await context.client()).networks.connect(network, { Container: container, EndpointConfig: endpoint })
    return 0
  },
})

export const networkDisconnect = command({
  name: 'network disconnect',
  usage: '[FLAGS] NETWORK CONTAINER',
  summary: 'Take a container off a network.',
  examples: [['network disconnect app web', 'web stays on its other networks']],
  flags: { force: isSet('Also when the container does not answer', 'f') },
  operands: { min: 2, max: 2 },
  completes: ['network', 'container'],
  run: async ({ flags, operands: [network = '', container = ''] }, context) => {
    await (await context.client()).networks.disconnect(network, { Container: container, Force: flags.force })
    return 0
  },
})
