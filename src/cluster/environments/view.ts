import type { EnvironmentRecord } from '#cluster/model'
import type { RouteSpec, StackSpec } from '#cluster/spec'
import type { StackStatus } from '#cluster/stacks'

import type { EnvironmentView } from './port.ts'

/** undefined: nobody wants its stack any more. */
export function environmentView(
  record: EnvironmentRecord,
  status: StackStatus | undefined,
  spec: StackSpec | undefined,
): EnvironmentView {
  const services = status?.services ?? []
  const held = services.find((service) => service.whyNotYet !== null)
  return {
    ...record,
    stackState: status?.state ?? 'gone',
    urls: [...new Set([...(spec?.routes ?? []).flatMap(routeUrls), ...services.flatMap((service) => service.urls)])],
    whyNotYet: status?.whyNotYet ?? (held === undefined ? null : `${held.name}: ${held.whyNotYet ?? ''}`),
  }
}

const PLAIN_PORTS = { http: 80, https: 443 } as const

function routeUrls({ mode, port, rule }: RouteSpec): readonly string[] {
  if (mode === 'tcp') return []
  const scheme = rule.tls === null ? 'http' : 'https'
  const suffix = `${port === PLAIN_PORTS[scheme] ? '' : `:${port}`}${rule.path.value === '/' ? '' : rule.path.value}`
  return (rule.hosts.length === 0 ? ['localhost'] : rule.hosts).map((host) => `${scheme}://${host}${suffix}`)
}
