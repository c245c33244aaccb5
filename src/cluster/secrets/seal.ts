import type { Random } from '#base'
import type { SecretRecord } from '#cluster/model'

import { configFingerprint, decrypt, encrypt, isOfKey, secretFingerprint, type SecretKey } from './cipher.ts'
import { secretError } from './errors.ts'
import type { KeyRing } from './key-ring.ts'
import type { SecretKind } from './port.ts'

/** How values become what is stored, and back. */
export interface Seal {
  close(kind: SecretKind, place: Place, value: Uint8Array): Promise<Sealed>
  /** Error: `secret.undecipherable`. */
  open(kind: SecretKind, record: SecretRecord): Promise<Buffer>
  /** null: it is sealed with the youngest key already. */
  renew(record: SecretRecord): Promise<Sealed | null>
}

export type Sealed = Pick<SecretRecord, 'payload' | 'fingerprint'>
export type Place = Pick<SecretRecord, 'id' | 'version'>

/** `isEmpty`: no secret is stored that a new key could not open. */
export function seal(ring: KeyRing, random: Random, isEmpty: () => Promise<boolean>): Seal {
  const sealWith = (key: SecretKey, place: Place, value: Uint8Array): Sealed => ({
    payload: encrypt(key, value, contextOf(place), random).toString('base64'),
    fingerprint: secretFingerprint(key, value),
  })
  const keys = async () => await ring.keys(isEmpty)
  const open = async (record: SecretRecord) => {
    const value = decrypt(await keys(), Buffer.from(record.payload, 'base64'), contextOf(record))
    if (value !== undefined) return value
    throw secretError(
      'secret.undecipherable',
      `the value of the secret ${record.name} cannot be read with the keys that are there`,
      {
        hint: 'The file with the keys is another one than when it was written, or the store was changed. Create the secret anew, or put both back.',
      },
    )
  }
  return {
    close: async (kind, place, value) =>
      kind === 'config'
        ? { payload: Buffer.from(value).toString('base64'), fingerprint: configFingerprint(value) }
        : sealWith((await keys())[0], place, value),
    open: async (kind, record) => (kind === 'config' ? Buffer.from(record.payload, 'base64') : await open(record)),
    renew: async (record) => {
      const [youngest] = await keys()
      if (isOfKey(Buffer.from(record.payload, 'base64'), youngest.id)) return null
      return sealWith(youngest, record, await open(record))
    },
  }
}

/** A payload is of one version of one secret, and opens nowhere else. */
function contextOf({ id, version }: Place): string {
  return `${id}/${version}`
}
