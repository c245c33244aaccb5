import { resolve } from 'node:path'

import { fail } from '#base'

import { hostAndPort } from './host-and-port.ts'
import { isLoopback } from './registry-arguments.ts'

/** Where the dashboard listens. */
export interface DashboardListenOptions {
  readonly host: string
  readonly port: number
  /** undefined: plain HTTP, for this machine alone. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined
}

export interface DashboardArguments {
  readonly 'dashboard-listen'?: string | undefined
  readonly 'dashboard-cert'?: string | undefined
  readonly 'dashboard-key'?: string | undefined
}

/** Where `glovebox dashboard open` has it listen when nothing was said: this machine alone, any free port. */
export const DEFAULT_DASHBOARD: DashboardListenOptions = { host: '127.0.0.1', port: 0, tls: undefined }

/** `--dashboard-listen HOST:PORT`, beyond this machine with a certificate and its key. Error: `input.invalid`. */
export function readDashboard(values: DashboardArguments): DashboardListenOptions | undefined {
  const { 'dashboard-listen': listen, 'dashboard-cert': cert, 'dashboard-key': key } = values
  if (listen === undefined) {
    if (cert === undefined && key === undefined) return undefined
    throw fail('input.invalid', '--dashboard-cert and --dashboard-key are for a dashboard', {
      hint: 'Say where it listens: --dashboard-listen HOST:PORT.',
    })
  }
  if ((cert === undefined) !== (key === undefined))
    throw fail('input.invalid', `--dashboard-listen ${listen}: a certificate and its key go together`, {
      hint: 'Give both --dashboard-cert and --dashboard-key.',
    })
  const address = hostAndPort('--dashboard-listen', listen)
  if (cert === undefined && !isLoopback(address.host))
    throw fail(
      'input.invalid',
      `--dashboard-listen ${listen}: beyond this machine the dashboard needs TLS, for passwords pass through it`,
      {
        hint: 'Give --dashboard-cert and --dashboard-key (`glovebox daemon certificates DIR` makes such), or listen on 127.0.0.1.',
      },
    )
  return {
    ...address,
    tls: cert === undefined || key === undefined ? undefined : { certFile: resolve(cert), keyFile: resolve(key) },
  }
}
