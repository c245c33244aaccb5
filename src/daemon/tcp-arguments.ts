import { resolve } from 'node:path'

import type { TlsFiles } from '#api/http'
import { fail } from '#base'

import { hostAndPort } from './host-and-port.ts'

/** A listener on TCP, which there is with TLS both ways only. */
export interface TcpOptions {
  readonly host: string
  readonly port: number
  readonly files: TlsFiles
}

export interface TcpArguments {
  readonly tcp?: string | undefined
  readonly 'tls-ca'?: string | undefined
  readonly 'tls-cert'?: string | undefined
  readonly 'tls-key'?: string | undefined
}

const FILES = ['tls-ca', 'tls-cert', 'tls-key'] as const

/** `--tcp HOST:PORT` with its three files. Error: `input.invalid`. */
export function readTcp(values: TcpArguments): TcpOptions | undefined {
  if (values.tcp === undefined) {
    const given = FILES.find((name) => values[name] !== undefined)
    if (given === undefined) return undefined
    throw fail('input.invalid', `--${given} is for connections over TCP`, { hint: 'Say where to listen: --tcp HOST:PORT.' })
  }
  const missing = FILES.filter((name) => values[name] === undefined)
  if (missing.length > 0)
    throw fail('input.invalid', `--tcp ${values.tcp}: ${missing.map((name) => `--${name}`).join(' and ')} missing`, {
      hint: 'Whoever can connect has the whole host, so clients must show a certificate. `glovebox daemon certificates DIR` makes what both sides need.',
    })
  const [ca = '', cert = '', key = ''] = FILES.map((name) => resolve(values[name] ?? ''))
  return { ...hostAndPort('--tcp', values.tcp), files: { caFile: ca, certFile: cert, keyFile: key } }
}
