import { resolve } from 'node:path'

import { fail, parseBytes } from '#base'

import { hostAndPort } from './host-and-port.ts'

/** What is told of metrics, to whom, and how much of it is kept. */
export interface MetricsOptions {
  /** A listener that answers nothing but metrics; undefined: they are on the socket alone. */
  readonly listen: { readonly host: string; readonly port: number } | undefined
  /** Of the history's file; null: none is kept. */
  readonly historyBytes: number | null
  readonly remoteWrite: RemoteWriteOptions | undefined
}

export interface RemoteWriteOptions {
  readonly url: URL
  /** Its first line is sent as a bearer token; read at each sending. */
  readonly tokenFile: string | undefined
}

export interface MetricsArguments {
  readonly 'metrics-listen'?: string | undefined
  readonly 'metrics-history'?: string | undefined
  readonly 'metrics-remote-write'?: string | undefined
  readonly 'metrics-remote-write-token-file'?: string | undefined
}

/** 200 containers for 60 days. */
const DEFAULT_HISTORY_BYTES = 256 * 1024 * 1024
/** Below, not even some hours of a few containers fit. */
const LEAST_HISTORY_BYTES = 8 * 1024 * 1024

/** Error: `input.invalid`, naming the option. */
export function readMetrics(values: MetricsArguments): MetricsOptions {
  const listen = values['metrics-listen']
  return {
    listen: listen === undefined ? undefined : hostAndPort('--metrics-listen', listen),
    historyBytes: readHistory(values['metrics-history']),
    remoteWrite: readRemoteWrite(values),
  }
}

function readHistory(text: string | undefined): number | null {
  if (text === undefined) return DEFAULT_HISTORY_BYTES
  if (text === 'off') return null
  const bytes = parseBytes(text, '--metrics-history')
  if (bytes >= LEAST_HISTORY_BYTES) return bytes
  throw fail('input.invalid', `--metrics-history ${text}: not a size of at least ${LEAST_HISTORY_BYTES} bytes, nor off`, {
    hint: 'Write --metrics-history 512m, or --metrics-history off.',
  })
}

function readRemoteWrite(values: MetricsArguments): RemoteWriteOptions | undefined {
  const { 'metrics-remote-write': text, 'metrics-remote-write-token-file': tokenFile } = values
  if (text === undefined) {
    if (tokenFile === undefined) return undefined
    throw fail('input.invalid', '--metrics-remote-write-token-file is for metrics that are sent', {
      hint: 'Say where to: --metrics-remote-write https://HOST/api/v1/write.',
    })
  }
  const url = URL.parse(text)
  if (url === null || !['http:', 'https:'].includes(url.protocol))
    throw fail('input.invalid', `--metrics-remote-write ${text}: not an address of http or https`, {
      hint: 'Of a Prometheus it is http://HOST:9090/api/v1/write.',
    })
  return { url, tokenFile: tokenFile === undefined ? undefined : resolve(tokenFile) }
}
