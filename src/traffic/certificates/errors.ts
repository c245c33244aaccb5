import { declareErrors } from '#base'

export const certificateError = declareErrors({
  /** No certificate, or not with this key. */
  'certificate.invalid': 'invalid',
  /** The ACME server does not answer, or not as RFC 8555 says. */
  'certificate.acme_unavailable': 'unavailable',
  /** The ACME server says no: most often it does not find us at the host. */
  'certificate.acme_refused': 'denied',
})
