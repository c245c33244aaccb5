import type { TLSSocket } from 'node:tls'

/** What OpenSSL calls the reasons that operators meet: x509_verify_cert_error_string(3). */
const REASONS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'it has expired',
  CERT_NOT_YET_VALID: 'it is not valid yet',
  CERT_REVOKED: 'it was revoked',
  INVALID_PURPOSE: 'it is not meant for clients',
}

/** Why a client may not come in; null: it showed a certificate of the CA's that is valid now. */
export function refusalOf(socket: Pick<TLSSocket, 'authorized' | 'authorizationError' | 'getPeerCertificate'>): string | null {
  if (socket.authorized) return null
  // An empty object stands for none.
  const { subject } = socket.getPeerCertificate()
  if (subject === undefined)
    return 'the daemon asks for a client certificate that its CA signed, and none was given. Set DOCKER_CERT_PATH to a directory with ca.pem, cert.pem and key.pem'
  // Typed as an error, it is the code of one.
  const code = String(socket.authorizationError)
  const name = String(subject.CN ?? 'without a name')
  return `client certificate ${JSON.stringify(name)} is refused: ${REASONS[code] ?? `it is not signed by the daemon's CA (${code})`}`
}
