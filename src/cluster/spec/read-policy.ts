import { isIP } from 'node:net'

import type { Field } from './fields.ts'
import type { EgressSpec, PolicyPortSpec, PolicySpec } from './policy-model.ts'

const MAX_PORT = 65_535
const FROM = /^(\*|[a-zA-Z0-9._-]+|[a-zA-Z0-9._-]+\/(\*|[a-zA-Z0-9._-]+))$/

/** `x-glovebox: policy:`. Undefined: nothing is said. */
export function readPolicy(policy: Field, services: readonly string[], networks: readonly string[]): PolicySpec | undefined {
  if (!policy.isPresent) return undefined
  return {
    inside: policy.child('inside').oneOf(['allow', 'deny']) ?? 'allow',
    allow: policy
      .child('allow')
      .items()
      .map((item) => ({
        from: readFrom(item, services),
        to: readTo(item, services),
        ports: readPorts(item.child('ports')),
      })),
    egress: policy
      .child('egress')
      .entries()
      .map(([network, item]) => readEgress(network, item, networks)),
    isLogged: policy.child('log').flag() ?? false,
  }
}

function readFrom(rule: Field, services: readonly string[]): readonly string[] {
  const from = rule.child('from')
  const names = from.texts()
  if (names.length === 0) rule.refuse('a rule needs a "from"')
  for (const name of names) {
    if (!FROM.test(name)) from.refuse(`${JSON.stringify(name)} is not a service, STACK/SERVICE, STACK/* or *`)
    else if (name !== '*' && !name.includes('/') && !services.includes(name))
      from.refuse(`names the service "${name}", which the file does not have`)
  }
  return names
}

function readTo(rule: Field, services: readonly string[]): readonly string[] {
  const to = rule.child('to')
  for (const name of to.texts())
    if (!services.includes(name)) to.refuse(`names the service "${name}", which the file does not have`)
  return to.texts()
}

/** `deny`, or what is denied and what is not. */
function readEgress(network: string, item: Field, networks: readonly string[]): EgressSpec {
  if (!networks.includes(network)) item.refuse(`names the network "${network}", which the file does not have`)
  if (!item.isMapping()) return { network, outside: item.oneOf(['allow', 'deny']) ?? 'allow', except: [] }
  const except = item
    .child('except')
    .items()
    .flatMap((exception) => {
      const to = exception.child('to').text()
      if (to === null) return []
      if (!isSubnet(to))
        exception.child('to').refuse(`${JSON.stringify(to)} is not an address or a subnet such as 203.0.113.0/24`)
      return [{ to, ports: readPorts(exception.child('ports')) }]
    })
  return { network, outside: item.child('outside').oneOf(['allow', 'deny']) ?? 'allow', except }
}

function isSubnet(text: string): boolean {
  const [address = '', length, more] = text.split('/')
  const bits = isIP(address) === 6 ? 128 : 32
  if (isIP(address) === 0 || address.includes('%') || more !== undefined) return false
  return length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= bits)
}

/** `443`, `53/udp`, `8000-8010`; one, or a list of them. */
function readPorts(ports: Field): readonly PolicyPortSpec[] {
  const items = ports.isList() ? ports.items() : ports.isPresent ? [ports] : []
  return items.flatMap((item) => {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/.exec(item.text() ?? '')
    const [first, last] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])]
    if (match === null || first < 1 || last < first || last > MAX_PORT) {
      item.refuse(`${JSON.stringify(item.value)} is not a port or a range such as 8000-8010/udp`)
      return []
    }
    return [{ protocol: match[3] === 'udp' ? 'udp' : match[3] === 'sctp' ? 'sctp' : 'tcp', first, last } as const]
  })
}
