import assert from 'node:assert/strict'
import { test } from 'node:test'

import { refusalOf } from './tls-refusal.ts'

type Asked = Parameters<typeof refusalOf>[0]

function shown(certificate: object, authorizationError: string | null): Asked {
  const isFine = authorizationError === null
  return { authorized: isFine, authorizationError, getPeerCertificate: () => certificate } as unknown as Asked
}

test('a certificate that was verified lets its owner in, all else has a reason', () => {
  assert.equal(refusalOf(shown({ subject: { CN: 'anna' } }, null)), null)
  assert.match(refusalOf(shown({}, 'UNABLE_TO_GET_ISSUER_CERT')) ?? '', /none was given/)
  const anna = { subject: { CN: 'anna' } }
  assert.equal(refusalOf(shown(anna, 'CERT_HAS_EXPIRED')), 'client certificate "anna" is refused: it has expired')
  assert.match(refusalOf(shown(anna, 'SELF_SIGNED_CERT_IN_CHAIN')) ?? '', /not signed by the daemon's CA \(SELF_SIGNED/)
  assert.match(refusalOf(shown({ subject: {} }, 'CERT_NOT_YET_VALID')) ?? '', /"without a name" is refused: it is not valid yet/)
})
