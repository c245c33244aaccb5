import { isIP } from 'node:net'

import { isOn, isSet, list, naming, refused, text } from '../args/flags.ts'
import { command } from '../command.ts'
import { cliError } from '../errors.ts'
import { printable } from '../output/colour.ts'
import { compact } from '../run/compact.ts'
import { pairs } from '../run/pairs.ts'

const CONFIG = 'networks that only hold a configuration belong to swarm mode'

export const networkCreate = command({
  name: 'network create',
  usage: '[FLAGS] NAME',
  summary: 'Create a network, and print its id. Containers on it know each other by name.',
  examples: [
    ['network create app', 'a bridge of its own'],
    ['network create --subnet 10.1.0.0/16 --gateway 10.1.0.1 --ip-range 10.1.5.0/24 app', 'with addresses of your choice'],
    ['network create --internal backend', 'without a way out'],
  ],
  flags: {
    driver: text('DRIVER', 'bridge, or another that the daemon has (default bridge)', 'd'),
    subnet: list('ADDRESS/BITS', 'Its addresses'),
    gateway: list('ADDRESS', 'Address of the host on it'),
    'ip-range': list('ADDRESS/BITS', 'Give containers addresses from this part of a subnet only'),
    'aux-address': list('NAME=ADDRESS', 'Never give this address to a container'),
    internal: isSet('No way to other networks'),
    ipv4: isOn('IPv4 addresses'),
    ipv6: isSet('IPv6 addresses too'),
    label: list('NAME=VALUE', 'Label'),
    opt: list('NAME=VALUE', 'Option of the driver', 'o'),
    'ipam-driver': text('DRIVER', 'Who gives the addresses (default: default)'),
    'ipam-opt': list('NAME=VALUE', 'Option of the driver of addresses'),
    attachable: isSet('Containers may join by hand; on one machine they always may'),
    scope: text('SCOPE', 'local'),
    'config-from': naming('network', refused(CONFIG)),
    'config-only': refused(CONFIG, false),
    ingress: refused('it belongs to swarm mode', false),
  },
  operands: { min: 1, max: 1 },
  run: async ({ flags, operands: [name = ''] }, context) => {
    const config = pools(flags)
    const body = compact({
      Name: name,
      Driver: flags.driver ?? 'bridge',
      Scope: flags.scope,
      Internal: flags.internal || undefined,
      Attachable: flags.attachable || undefined,
      EnableIPv4: flags.ipv4 ? undefined : false,
      EnableIPv6: flags.ipv6 || undefined,
      Labels: pairs(flags.label),
      Options: pairs(flags.opt),
      IPAM: compact({ Driver: flags['ipam-driver'], Options: pairs(flags['ipam-opt']), Config: config }),
    })
    const made = await (await context.client()).networks.create(body)
    if (made.Warning !== undefined && made.Warning !== '')
      context.terminal.stderr.write(`${context.paint('yellow', 'warning:')} ${printable(made.Warning)}\n`)
    context.terminal.stdout.write(`${made.Id}\n`)
    return 0
  },
})

interface PoolWords {
  readonly subnet: readonly string[]
  readonly gateway: readonly string[]
  readonly 'ip-range': readonly string[]
  readonly 'aux-address': readonly string[]
}

interface Pool {
  readonly Subnet: string
  Gateway?: string
  IPRange?: string
  AuxiliaryAddresses?: Record<string, string>
}

/** Gateways, ranges and kept addresses belong to the subnet that they lie in. Errors: `cli.usage`. */
export function pools(words: PoolWords): readonly Pool[] {
  const found: Pool[] = words.subnet.map((Subnet) => ({ Subnet }))
  const homeOf = (flag: string, word: string, address: string) => {
    const pool = found.find(({ Subnet }) => contains(Subnet, address))
    if (pool !== undefined) return pool
    throw cliError('cli.usage', `--${flag}: ${word} lies in no --subnet`, { hint: 'Name the subnet that it is a part of.' })
  }
  for (const word of words.gateway) homeOf('gateway', word, word).Gateway = word
  for (const word of words['ip-range']) homeOf('ip-range', word, word.split('/')[0] ?? '').IPRange = word
  for (const word of words['aux-address']) {
    const [name = '', address = ''] = word.split('=')
    const pool = homeOf('aux-address', word, address)
    pool.AuxiliaryAddresses = { ...pool.AuxiliaryAddresses, [name]: address }
  }
  return found
}

function contains(subnet: string, address: string): boolean {
  const [base = '', bits = ''] = subnet.split('/')
  const family = isIP(base)
  if (family === 0 || isIP(address) !== family || !/^\d+$/.test(bits)) return false
  const shift = BigInt(Math.max(0, (family === 4 ? 32 : 128) - Number(bits)))
  return numberOf(base) >> shift === numberOf(address) >> shift
}

function numberOf(address: string): bigint {
  if (!address.includes(':')) return address.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n)
  const [head = '', tail] = address.split('::')
  const groups = (text: string) => (text === '' ? [] : text.split(':'))
  const missing = 8 - groups(head).length - groups(tail ?? '').length
  const all = [...groups(head), ...Array.from({ length: tail === undefined ? 0 : missing }, () => '0'), ...groups(tail ?? '')]
  return all.reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n)
}
