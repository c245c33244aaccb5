import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import fc from 'fast-check'

import { GloveboxError } from '#base'

import { isCertificateTrouble, nameOf, placeOf } from './place.ts'

test('an address with certificates is a place', (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'glovebox-place-'))
  context.after(() => rmSync(directory, { recursive: true }))
  for (const name of ['ca', 'cert', 'key']) writeFileSync(join(directory, `${name}.pem`), name)
  const env = { DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: directory }
  const pems = { ca: Buffer.from('ca'), cert: Buffer.from('cert'), key: Buffer.from('key') }
  assert.deepEqual(placeOf('tcp://build1:1234', env), { host: 'build1', port: 1234, ...pems })
  assert.deepEqual(placeOf('tcp://[::1]', env), { host: '::1', port: 2376, ...pems })
  assert.equal(nameOf(placeOf('tcp://build1:1234', env)), 'tcp://build1:1234')
  assert.throws(() => placeOf('tcp://build1', { DOCKER_CERT_PATH: directory }), /not spoken to without TLS/)
  assert.throws(() => placeOf('tcp://build1', { ...env, DOCKER_CERT_PATH: '/nowhere' }), /DOCKER_CERT_PATH: .*ENOENT/)
})

test('property: any address is a place or refused as one', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.webAuthority(), fc.ipV6()), (text) => {
      try {
        placeOf(`tcp://${text}`, {})
        assert.fail('without TLS there is no place')
      } catch (error) {
        assert.ok(error instanceof GloveboxError && error.code === 'client.place_invalid', String(error))
      }
    }),
  )
})

test('trouble with a certificate is told from other trouble', () => {
  for (const code of [
    'CERT_HAS_EXPIRED',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'ERR_TLS_CERT_ALTNAME_INVALID',
  ])
    assert.ok(isCertificateTrouble(code), code)
  for (const code of ['ECONNREFUSED', 'ECONNRESET', undefined]) assert.ok(!isCertificateTrouble(code), code)
})
