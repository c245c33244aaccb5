import { createHash, createPublicKey, sign, type KeyObject } from 'node:crypto'

import { bitString, boolean, integer, objectId, octetString, sequence, setOf, tagged, time, utf8String } from './der.ts'

const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2'
const COMMON_NAME = '2.5.4.3'
const SUBJECT_KEY_ID = '2.5.29.14'
const KEY_USAGE = '2.5.29.15'
const SUBJECT_ALT_NAME = '2.5.29.17'
const BASIC_CONSTRAINTS = '2.5.29.19'
const AUTHORITY_KEY_ID = '2.5.29.35'
const EXTENDED_KEY_USAGE = '2.5.29.37'
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'
const EXTENSION_REQUEST = '1.2.840.113549.1.9.14'
const DNS_NAME = 2

export interface CertificateContent {
  /** Of the certificate's own key. */
  readonly publicKey: KeyObject
  readonly commonName: string
  /** Empty for a CA. */
  readonly hosts: readonly string[]
  readonly isAuthority: boolean
  /** 16 bytes. */
  readonly serial: Buffer
  readonly fromMs: number
  readonly untilMs: number
  readonly issuerName: string
  /** On P-256. */
  readonly issuerKey: KeyObject
}

/** A certificate of version 3, signed, as PEM. RFC 5280. */
export function makeCertificate(content: CertificateContent): string {
  const { publicKey, commonName, serial, fromMs, untilMs, issuerName, issuerKey } = content
  // The highest bit is taken, so that the number is neither negative nor short.
  const number = Buffer.concat([Buffer.from([0x40]), serial])
  const body = sequence(
    tagged(0, integer(Buffer.from([2])), 'explicit'),
    integer(number),
    sequence(objectId(ECDSA_WITH_SHA256)),
    nameOf(issuerName),
    sequence(time(fromMs), time(untilMs)),
    nameOf(commonName),
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(3, sequence(...extensions(content)), 'explicit'),
  )
  return pem('CERTIFICATE', signed(body, issuerKey))
}

/** Wish for a certificate, as DER. RFC 2986; the hosts are in the extension that is asked for. */
export function makeRequest(hosts: readonly string[], key: KeyObject): Buffer {
  const wish = sequence(objectId(EXTENSION_REQUEST), setOf(sequence(altNames(hosts))))
  const body = sequence(
    integer(Buffer.from([0])),
    sequence(),
    createPublicKey(key).export({ type: 'spki', format: 'der' }),
    tagged(0, wish, 'explicit'),
  )
  return signed(body, key)
}

function signed(body: Buffer, key: KeyObject): Buffer {
  return sequence(body, sequence(objectId(ECDSA_WITH_SHA256)), bitString(sign('sha256', body, key)))
}

function extensions(content: CertificateContent): readonly Buffer[] {
  const { isAuthority, publicKey, issuerKey, hosts } = content
  // Bits from the left: digital signature is the first, signing of certificates and of lists of revoked ones the sixth and seventh.
  const usage = isAuthority ? bitString(Buffer.from([0x06]), 1) : bitString(Buffer.from([0x80]), 7)
  return [
    extension(BASIC_CONSTRAINTS, isAuthority ? sequence(boolean(true), integer(Buffer.from([0]))) : sequence(), true),
    extension(KEY_USAGE, usage, true),
    extension(SUBJECT_KEY_ID, octetString(keyId(publicKey))),
    extension(AUTHORITY_KEY_ID, sequence(tagged(0, keyId(createPublicKey(issuerKey)), 'implicit'))),
    ...(isAuthority ? [] : [extension(EXTENDED_KEY_USAGE, sequence(objectId(SERVER_AUTH)))]),
    ...(hosts.length === 0 ? [] : [altNames(hosts)]),
  ]
}

function altNames(hosts: readonly string[]): Buffer {
  return extension(SUBJECT_ALT_NAME, sequence(...hosts.map((host) => tagged(DNS_NAME, Buffer.from(host, 'ascii'), 'implicit'))))
}

function extension(id: string, value: Buffer, isCritical = false): Buffer {
  return sequence(objectId(id), ...(isCritical ? [boolean(true)] : []), octetString(value))
}

function keyId(key: KeyObject): Buffer {
  return createHash('sha1')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest()
}

function nameOf(commonName: string): Buffer {
  return sequence(setOf(sequence(objectId(COMMON_NAME), utf8String(commonName))))
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
