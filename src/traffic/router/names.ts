import { createHash } from 'node:crypto'

import type { Route } from './port.ts'

/** How an entry is heard: with TLS that ends here or without. */
export type EntryKind = 'http' | 'https' | 'tcp' | 'tls'

export function entryKind(route: Pick<Route, 'mode' | 'rule'>): EntryKind {
  const hasTls = (route.rule?.tls ?? null) !== null
  if (route.mode === 'http') return hasTls ? 'https' : 'http'
  return hasTls ? 'tls' : 'tcp'
}

/** Tells all that somebody else might have: `http-0.0.0.0-80`. */
export function entryName(kind: EntryKind, hostIp: string, port: number): string {
  return `${kind}-${listenAddress(hostIp)}-${port}`
}

/** `http-0.0.0.0-80` and `tcp-0.0.0.0-80` are the same place. */
export function bindingOf(entry: string): string {
  return entry.slice(entry.indexOf('-') + 1)
}

export function listenAddress(hostIp: string): string {
  return hostIp === '' ? '0.0.0.0' : hostIp
}

/** All that a route listens on: without an address every one of the host, of both families. */
export function listenAddresses(hostIp: string, hasIpv6: boolean): readonly string[] {
  return [listenAddress(hostIp), ...(hostIp === '' && hasIpv6 ? ['::'] : [])]
}

/** Section of a route's backends: to be read by people, and of one route alone. */
export function sectionName(route: Pick<Route, 'id'>): string {
  const digest = createHash('sha256').update(route.id).digest('hex').slice(0, 10)
  return `r-${route.id.replaceAll(/[^A-Za-z0-9.-]+/g, '-').slice(0, 60)}-${digest}`
}

export function hostPort({ address, port }: { readonly address: string; readonly port: number }): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
