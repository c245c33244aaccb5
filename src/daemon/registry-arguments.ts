import { resolve } from 'node:path'

import { fail } from '#base'

import { hostAndPort } from './host-and-port.ts'

/** Where the daemon serves its registry. */
export interface RegistryListenOptions {
  readonly host: string
  readonly port: number
  /** undefined: plain HTTP, for this machine alone. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined
}

export interface RegistryArguments {
  readonly registry?: string | undefined
  readonly 'registry-cert'?: string | undefined
  readonly 'registry-key'?: string | undefined
}

/** `--registry HOST:PORT`, beyond this machine with a certificate and its key. Error: `input.invalid`. */
export function readRegistry(values: RegistryArguments): RegistryListenOptions | undefined {
  const { registry, 'registry-cert': cert, 'registry-key': key } = values
  if (registry === undefined) {
    if (cert === undefined && key === undefined) return undefined
    throw fail('input.invalid', '--registry-cert and --registry-key are for a registry', {
      hint: 'Say where it listens: --registry HOST:PORT.',
    })
  }
  if ((cert === undefined) !== (key === undefined))
    throw fail('input.invalid', `--registry ${registry}: a certificate and its key go together`, {
      hint: 'Give both --registry-cert and --registry-key.',
    })
  const address = hostAndPort('--registry', registry)
  if (cert === undefined && !isLoopback(address.host))
    throw fail(
      'input.invalid',
      `--registry ${registry}: beyond this machine a registry needs TLS, for passwords pass through it`,
      {
        hint: 'Give --registry-cert and --registry-key, or listen on 127.0.0.1 behind a router that has them.',
      },
    )
  return {
    ...address,
    tls: cert === undefined || key === undefined ? undefined : { certFile: resolve(cert), keyFile: resolve(key) },
  }
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)
}
