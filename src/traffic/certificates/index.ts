/**
 * Certificates for the routes that end TLS here: from files, from a CA of our own, or from an ACME server (RFC 8555, http-01). What there is is given at
 * once and told of when it changes; it is renewed after two thirds of its life, and keys never leave their directory but for the proxy.
 */
export { acmeTransport, type AcmeTransport } from './acme-http.ts'
export { openCertificates, type CertificatesOptions } from './certificates.ts'
export { certificateError } from './errors.ts'
export type { CertificateBundle, Certificates, CertificateState, CertificateWish, ChallengeSink } from './port.ts'
