import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'

import type { Clock, Random } from '#base'

import { makeBundle, readBundle, type Bundle } from './bundle.ts'
import type { KeyFiles } from './files.ts'
import { makeCertificate } from './x509.ts'

/** The CA that this installation made for itself. Whoever takes its certificate for true takes all that it signs. */
export interface Authority {
  /** PEM, to be given to clients. */
  readonly certificate: string
  /** A certificate for these hosts with a key of its own. No hosts: one that nobody can take for his own. */
  issue(hosts: readonly string[]): Bundle
}

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const AUTHORITY_LIFE_MS = 3650 * DAY_MS
/** Browsers refuse what is good for much longer than a year. */
const LIFE_MS = 90 * DAY_MS
const NAME = 'Glovebox own CA'

/** Made where there is none. The key stays in `ca.pem`, beside its certificate. */
export async function openAuthority(files: KeyFiles, clock: Clock, random: Random): Promise<Authority> {
  const known = files.read('ca.pem')
  const bundle = known === undefined ? makeAuthority(clock, random) : readBundle('ca.pem', known)
  if (known === undefined) await files.write('ca.pem', bundle.pem)
  const keyAt = bundle.pem.indexOf('-----BEGIN PRIVATE KEY-----')
  const certificate = bundle.pem.slice(0, keyAt)
  const issuerKey = createPrivateKey(bundle.pem.slice(keyAt))
  return {
    certificate,
    issue: (hosts) => {
      const key = newKey()
      const fromMs = clock.nowMs() - HOUR_MS
      const own = makeCertificate({
        publicKey: createPublicKey(key),
        commonName: hosts[0]?.slice(0, 64) ?? 'no certificate for this host',
        hosts,
        isAuthority: false,
        serial: random.bytes(16),
        fromMs,
        untilMs: Math.min(fromMs + LIFE_MS, bundle.untilMs),
        issuerName: NAME,
        issuerKey,
      })
      return makeBundle(hosts.join(', '), own + certificate, key)
    },
  }
}

function makeAuthority(clock: Clock, random: Random): Bundle {
  const key = newKey()
  const fromMs = clock.nowMs() - HOUR_MS
  const certificate = makeCertificate({
    publicKey: createPublicKey(key),
    commonName: NAME,
    hosts: [],
    isAuthority: true,
    serial: random.bytes(16),
    fromMs,
    untilMs: fromMs + AUTHORITY_LIFE_MS,
    issuerName: NAME,
    issuerKey: key,
  })
  return makeBundle('own CA', certificate, key)
}

export function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
}
