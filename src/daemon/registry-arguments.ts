import { resolve } from 'node:path'

import { fail } from '#base'
import { isRepositoryPath } from '#oci/reference'

import { hostAndPort } from './host-and-port.ts'

/** Where the daemon serves its registry. */
export interface RegistryListenOptions {
  readonly host: string
  readonly port: number
  /** undefined: plain HTTP, for this machine alone. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined
  /** Registries whose images are fetched and kept when they are asked for. */
  readonly proxies: readonly { readonly prefix: string; readonly upstream: string }[]
}

export interface RegistryArguments {
  readonly registry?: string | undefined
  readonly 'registry-cert'?: string | undefined
  readonly 'registry-key'?: string | undefined
  readonly 'registry-proxy'?: readonly string[]
}

/** `--registry HOST:PORT`, beyond this machine with a certificate and its key. Error: `input.invalid`. */
export function readRegistry(values: RegistryArguments): RegistryListenOptions | undefined {
  const proxies = (values['registry-proxy'] ?? []).map(readProxy)
  const { registry, 'registry-cert': cert, 'registry-key': key } = values
  if (registry === undefined) {
    if (cert === undefined && key === undefined && proxies.length === 0) return undefined
    throw fail('input.invalid', '--registry-cert, --registry-key and --registry-proxy are for a registry', {
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
    proxies,
    tls: cert === undefined || key === undefined ? undefined : { certFile: resolve(cert), keyFile: resolve(key) },
  }
}

function readProxy(text: string): { readonly prefix: string; readonly upstream: string } {
  const [prefix = '', upstream = ''] = text.split(/=(.*)/s)
  if (isRepositoryPath(prefix) && /^[A-Za-z0-9.-]+(?::\d{1,5})?$/.test(upstream)) return { prefix, upstream }
  throw fail('input.invalid', `--registry-proxy ${text}: not PREFIX=HOST`, {
    hint: 'Write --registry-proxy docker=docker.io, and pull docker/library/debian.',
  })
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)
}
