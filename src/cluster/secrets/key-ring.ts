import { closeSync, fstatSync, fsyncSync, mkdirSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

import { during, systemCodeOf, type Random } from '#base'

import { KEY_BYTES, secretKey, type SecretKey } from './cipher.ts'
import { secretError } from './errors.ts'

/** The keys of this machine's secrets, in a file that root alone can read. Never in the store: who has a copy of that has no secret. */
export interface KeyRing {
  /**
   * Youngest first; never empty. Made when there is none and `mayMake` says so. Errors: `secret.key_missing`, `secret.key_invalid`,
   * `secret.key_exposed`.
   */
  keys(mayMake: () => Promise<boolean>): Promise<Keys>
  /** A youngest key that was not there before. Error besides those: `secret.key_unchanged`, when the operator has given no new one. */
  renew(mayMake: () => Promise<boolean>): Promise<void>
  /** Forgets all keys but the youngest. Those in an operator's file are the operator's to remove. */
  retire(): void
}

export type Keys = readonly [SecretKey, ...SecretKey[]]

export type KeyPlace =
  | { readonly type: 'own'; readonly path: string }
  /** Of the operator: read, never written. */
  | { readonly type: 'given'; readonly path: string }

/** A line of 64 hexadecimal digits for each key, or the 32 bytes of one. */
const LINE = /^[0-9a-fA-F]{64}$/
/** Far more than keys that are being replaced. */
const MAX_KEYS = 64
const MAX_FILE_BYTES = MAX_KEYS * (2 * KEY_BYTES + 2)
const OTHERS_MAY = 0o077
const NEW_KEY_HINT = 'Write a key as the first line: `openssl rand -hex 32`.'

/** Reads nothing until it is asked. */
export function keyRing(place: KeyPlace, random: Random): KeyRing {
  const { path } = place
  let known: { readonly materials: readonly Buffer[]; readonly keys: Keys } | undefined
  const take = (materials: readonly Buffer[]) => {
    const [first = Buffer.alloc(0), ...others] = materials
    known = { materials, keys: [secretKey(first), ...others.map(secretKey)] }
    return known
  }
  const make = (others: readonly Buffer[]) => {
    const materials = [random.bytes(KEY_BYTES), ...others]
    writeKeys(path, materials)
    return take(materials)
  }
  const missing = () =>
    secretError('secret.key_missing', `the key of the secrets, ${path}, is not there`, {
      hint:
        place.type === 'own'
          ? 'Put it back from a backup: without it no value can be read. When all secrets are removed, the next one gets a new key.'
          : NEW_KEY_HINT,
    })
  const load = async (mayMake: () => Promise<boolean>) => {
    if (known !== undefined) return known
    const found = readKeys(path)
    if (found !== undefined) return take(found)
    if (place.type === 'given' || !(await mayMake())) throw missing()
    // Somebody else may have come here while we asked.
    return known ?? make([])
  }
  const readGiven = (before: readonly Buffer[]) => {
    const found = readKeys(path)
    if (found === undefined) throw missing()
    const older = before.filter((material) => !found.some((one) => one.equals(material)))
    if (found.length + older.length === 1)
      throw secretError('secret.key_unchanged', `the key in ${path} is the one that was there before`, { hint: NEW_KEY_HINT })
    take([...found, ...older])
  }
  return {
    keys: async (mayMake) => (await load(mayMake)).keys,
    renew: async (mayMake) => {
      const { materials } = await load(mayMake)
      if (place.type === 'own') make(materials)
      else readGiven(materials)
    },
    retire: () => {
      const youngest = known?.materials[0]
      if (youngest === undefined) return
      if (place.type === 'own') writeKeys(path, [youngest])
      take([youngest])
    },
  }
}

/** undefined: there is no file. */
function readKeys(path: string): readonly Buffer[] | undefined {
  let fd: number
  try {
    fd = openSync(path, 'r')
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined
    throw during(`read the key of the secrets, ${path}`, error)
  }
  try {
    // The file that is open is the one that is judged.
    const { mode, uid } = fstatSync(fd)
    if (uid !== 0 && uid !== process.getuid?.())
      throw secretError(
        'secret.key_exposed',
        `the key of the secrets, ${path}, belongs to the user ${uid}, who may read and change it`,
        {
          hint: `Run \`chown root ${path}\`, and rotate the key if that user may have read it.`,
        },
      )
    if ((mode & OTHERS_MAY) !== 0)
      throw secretError(
        'secret.key_exposed',
        `the key of the secrets, ${path}, has mode 0${(mode & 0o777).toString(8)}: others than its owner may use it`,
        { hint: `Run \`chmod 600 ${path}\`, and rotate the key if somebody may have read it.` },
      )
    const bytes = Buffer.alloc(MAX_FILE_BYTES + 1)
    return parseKeys(bytes.subarray(0, readSync(fd, bytes)), path)
  } finally {
    closeSync(fd)
  }
}

/** Error: `secret.key_invalid`, which shows nothing of what is there. */
export function parseKeys(bytes: Buffer, path: string): readonly Buffer[] {
  if (bytes.length === KEY_BYTES) return [Buffer.from(bytes)]
  const lines = bytes
    .toString('latin1')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  const wrong = lines.findIndex((line) => !LINE.test(line))
  if (wrong < 0 && lines.length > 0 && lines.length <= MAX_KEYS) return lines.map((line) => Buffer.from(line, 'hex'))
  throw secretError(
    'secret.key_invalid',
    wrong < 0
      ? `${path} holds ${lines.length} keys: it must hold 1 to ${MAX_KEYS}`
      : `${path}, line ${wrong + 1}: a key is ${2 * KEY_BYTES} hexadecimal digits`,
    { hint: NEW_KEY_HINT },
  )
}

/** The old file or the new one, whole, whenever power goes. */
function writeKeys(path: string, materials: readonly Buffer[]): void {
  const temporary = `${path}.new`
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o711 })
    rmSync(temporary, { force: true })
    const fd = openSync(temporary, 'wx', 0o600)
    try {
      writeSync(fd, materials.map((material) => `${material.toString('hex')}\n`).join(''))
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    renameSync(temporary, path)
    syncDirectory(dirname(path))
  } catch (error) {
    throw during(`write the key of the secrets, ${path}`, error)
  }
}

function syncDirectory(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
