import type { StackRecord } from '#cluster/model'
import type { StackSpec } from '#cluster/spec'
import { stackError } from './errors.ts'

/** Two services cannot have one host port, within a stack or across stacks. Throws `stack.port_taken`. */
export function checkPortClaims(spec: StackSpec, others: readonly StackRecord[]): void {
  const taken = others
    .filter((record) => record.spec.name !== spec.name)
    .flatMap((record) => claimsOf(record.spec, record.chosenPorts))
  for (const claim of claimsOf(spec, {})) {
    const holder = taken.find((other) => overlaps(claim, other))
    if (holder !== undefined) {
      const what = `${claim.hostIp === '' ? '' : `${claim.hostIp}:`}${claim.port}/${claim.protocol}`
      throw stackError('stack.port_taken', `port ${what} of service ${claim.owner} is published by ${holder.owner} already`, {
        hint: 'Publish another port, or remove the other service.',
      })
    }
    taken.push(claim)
  }
}

interface Claim {
  readonly owner: string
  readonly hostIp: string
  readonly port: number
  readonly protocol: string
}

function claimsOf(spec: StackSpec, chosen: Readonly<Record<string, number>>): Claim[] {
  const fixed = spec.services.flatMap((service) =>
    service.ports.flatMap(({ hostIp, published, protocol }) =>
      published === null
        ? []
        : [{ owner: `${spec.name}/${service.name}`, hostIp: hostIp === '0.0.0.0' ? '' : hostIp, port: published, protocol }],
    ),
  )
  const random = Object.entries(chosen).map(([key, port]) => ({
    owner: `${spec.name}/${key.split('/')[0] ?? ''}`,
    hostIp: '',
    port,
    protocol: 'tcp',
  }))
  return [...fixed, ...random]
}

function overlaps(a: Claim, b: Claim): boolean {
  return a.port === b.port && a.protocol === b.protocol && (a.hostIp === b.hostIp || a.hostIp === '' || b.hostIp === '')
}
