import { isIP } from 'node:net'

import { fail } from '#base'

/** `192.0.2.1:2376`, `[2001:db8::1]:2376` or `name:2376`. Error: `input.invalid`, naming the option. */
export function hostAndPort(option: string, address: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:\s[\]/]+)):(\d{1,5})$/.exec(address)
  const host = match?.[1] ?? match?.[2] ?? ''
  const port = Number(match?.[3] ?? Number.NaN)
  const isSane = match?.[1] === undefined ? host !== '' : isIP(host) === 6
  if (isSane && port <= 65_535) return { host, port }
  throw fail('input.invalid', `${option} ${address}: not HOST:PORT`, { hint: 'Give an address of this machine: 192.0.2.1:2376.' })
}
