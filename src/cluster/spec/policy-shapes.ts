import { isIP } from 'node:net'

import type { AllowRuleSpec, EgressExceptionSpec, EgressSpec, PolicyPortSpec, PolicySpec } from './policy-model.ts'
import { aFlag, aText, aWhole, listOf, matching, objectOf, oneOf, type Shape } from './shapes.ts'

/** Rules of one stack, and parts of one rule: nobody writes more by hand. */
const MAX_PARTS = 200
const MAX_PORT = 65_535

const port: Shape<PolicyPortSpec> = (value, place, complain): value is PolicyPortSpec => {
  const isOne = portFields(value, place, complain)
  if (isOne && value.first > value.last) complain(`${place}: the port ${value.first} comes after ${value.last}`)
  return isOne && value.first <= value.last
}

const portFields = objectOf<PolicyPortSpec>({
  protocol: oneOf('tcp', 'udp', 'sctp'),
  first: aWhole(1, MAX_PORT),
  last: aWhole(1, MAX_PORT),
})

const NAME = '[a-zA-Z0-9._-]+'

const subnet: Shape<string> = (value, place, complain): value is string => {
  const [address = '', length, more] = typeof value === 'string' ? value.split('/') : []
  const bits = isIP(address) === 6 ? 128 : 32
  const isGood =
    isIP(address) !== 0 &&
    more === undefined &&
    (length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= bits)) &&
    !address.includes('%')
  if (!isGood) complain(`${place} must be an address or a subnet such as 203.0.113.0/24, not ${JSON.stringify(value)}`)
  return isGood
}

export const policy = objectOf<PolicySpec>({
  inside: oneOf('allow', 'deny'),
  allow: listOf(
    objectOf<AllowRuleSpec>({
      from: listOf(
        matching(new RegExp(`^(\\*|${NAME}|${NAME}/(\\*|${NAME}))$`), 'a service, stack/service, stack/* or *'),
        MAX_PARTS,
      ),
      to: listOf(aText, MAX_PARTS),
      ports: listOf(port, MAX_PARTS),
    }),
    MAX_PARTS,
  ),
  egress: listOf(
    objectOf<EgressSpec>({
      network: aText,
      outside: oneOf('allow', 'deny'),
      except: listOf(objectOf<EgressExceptionSpec>({ to: subnet, ports: listOf(port, MAX_PARTS) }), MAX_PARTS),
    }),
    MAX_PARTS,
  ),
  isLogged: aFlag,
})
