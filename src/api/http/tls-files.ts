import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'

import { messageOf, type Log } from '#base'

import { httpError } from './errors.ts'

/** PEM files. */
export interface TlsFiles {
  /** Who signs the certificates of clients. */
  readonly caFile: string
  readonly certFile: string
  readonly keyFile: string
}

/** Reads the three files. An expired certificate is told in the log: clients will refuse it, and a daemon that stays down helps nobody. Errors: `http.tls_invalid`. */
export function readTlsFiles(
  { caFile, certFile, keyFile }: TlsFiles,
  { nowMs, log }: { readonly nowMs: number; readonly log: Log },
): { readonly ca: Buffer; readonly cert: Buffer; readonly key: Buffer } {
  const ca = readOption('--tls-ca', caFile)
  const cert = readOption('--tls-cert', certFile)
  const key = readOption('--tls-key', keyFile)
  for (const [option, file, pem] of [
    ['--tls-ca', caFile, ca],
    ['--tls-cert', certFile, cert],
  ] as const) {
    const { validTo } = certificateIn(option, file, pem)
    if (Date.parse(validTo) < nowMs) log.warn('a certificate has expired', { option, file, validTo })
  }
  return { ca, cert, key }
}

function readOption(option: string, file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw httpError('http.tls_invalid', `${option} ${file}: ${messageOf(error)}`, { cause: error })
  }
}

function certificateIn(option: string, file: string, pem: Buffer): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch (error) {
    throw httpError('http.tls_invalid', `${option} ${file}: not a certificate in PEM`, { cause: error })
  }
}
