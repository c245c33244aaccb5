import { isIP } from 'node:net'

import type { NetworkSpec, SubnetSpec } from '#engine/network'

import { dockerError } from '../errors.ts'
import type { FieldTable } from './fields.ts'
import { OVERLAY_LABEL } from './network-json.ts'
import type { Reader } from './read.ts'

const POOL: FieldTable = {
  fields: { Subnet: 'taken', IPRange: 'taken', Gateway: 'taken', AuxiliaryAddresses: 'taken', AuxAddress: 'taken' },
}

/** POST /networks/create. */
export const NETWORK_BODY: FieldTable = {
  fields: {
    Name: 'taken',
    // A name is unique here whatever the client wants; since 1.44 everywhere.
    CheckDuplicate: 'reported',
    Driver: 'taken',
    Scope: 'taken',
    Internal: 'taken',
    Attachable: 'taken',
    Ingress: 'unused',
    ConfigOnly: 'unused',
    ConfigFrom: 'unused',
    IPAM: { fields: { Driver: 'taken', Options: 'taken', Config: { each: POOL } } },
    EnableIPv4: 'taken',
    EnableIPv6: 'taken',
    Options: 'taken',
    Labels: 'taken',
  },
}

/** Errors: `docker.field_invalid`, `docker.option_unsupported`. `isSwarm`: this machine is one, and has networks of it. */
export function networkSpec(body: Reader, isSwarm: boolean): NetworkSpec {
  const name = body.text('Name')
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name))
    throw dockerError(
      'docker.field_invalid',
      `invalid network name ${JSON.stringify(name)}: only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
    )
  const scope = body.text('Scope')
  const isOverlay = body.text('Driver') === OVERLAY
  if (isOverlay && !isSwarm)
    throw dockerError(
      'docker.not_a_swarm_manager',
      'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
    )
  if (scope !== '' && scope !== 'local' && !(isOverlay && scope === 'swarm'))
    throw dockerError('docker.option_unsupported', `networks of scope ${JSON.stringify(scope)} are not supported`)
  return {
    name,
    driver: isOverlay ? 'bridge' : body.text('Driver') || 'bridge',
    hasIpv4: body.raw('EnableIPv4') === undefined || body.raw('EnableIPv4') === null || body.bool('EnableIPv4'),
    hasIpv6: body.bool('EnableIPv6'),
    isInternal: body.bool('Internal'),
    isAttachable: body.bool('Attachable'),
    subnets: subnets(body.inner('IPAM')),
    options: isOverlay ? overlayOptions(body) : body.textMap('Options'),
    labels: { ...body.textMap('Labels'), ...(isOverlay ? { [OVERLAY_LABEL]: 'true' } : {}) },
  }
}

const OVERLAY = 'overlay'

/** Traffic stays on this machine: there is nothing to encrypt and no tunnel to number. */
function overlayOptions(body: Reader): Readonly<Record<string, string>> {
  const options = body.textMap('Options')
  const [first] = Object.keys(options)
  if (first !== undefined)
    throw dockerError('docker.option_unsupported', `the option ${JSON.stringify(first)} of overlay networks is not supported`)
  return {}
}

function subnets(ipam: Reader): readonly SubnetSpec[] {
  const driver = ipam.text('Driver') || 'default'
  const options = Object.keys(ipam.textMap('Options'))
  if (driver !== 'default' || options.length > 0)
    throw dockerError(
      'docker.option_unsupported',
      `IPAM driver ${JSON.stringify(driver)} with options [${options.join(', ')}] is not supported`,
    )
  return ipam.list('Config').map((pool) => ({
    ...present('subnet', cidr(pool, 'Subnet')),
    ...present('ipRange', cidr(pool, 'IPRange')),
    ...present('gateway', address(pool, 'Gateway')),
    auxiliaryAddresses: { ...pool.textMap('AuxiliaryAddresses'), ...pool.textMap('AuxAddress') },
  }))
}

function present(name: string, text: string): Readonly<Record<string, string>> {
  return text === '' ? {} : { [name]: text }
}

function cidr(pool: Reader, name: string): string {
  const text = pool.text(name)
  if (text === '') return text
  const [ip = '', length = ''] = text.split('/')
  const family = isIP(ip)
  if (family === 0 || !/^\d{1,3}$/.test(length) || Number(length) > (family === 4 ? 32 : 128))
    throw dockerError(
      'docker.field_invalid',
      `invalid ${name.toLowerCase()} ${text}: ${pool.at}.${name} is not an address with a prefix length`,
    )
  return text
}

function address(pool: Reader, name: string): string {
  const text = pool.text(name)
  if (text !== '' && isIP(text) === 0)
    throw dockerError('docker.field_invalid', `invalid ${name.toLowerCase()} address ${text} in ${pool.at}`)
  return text
}
