import { storeError } from './errors.ts'
import { MAX_KEY_BYTES, MAX_TRANSACTION_BYTES, MAX_VALUE_BYTES, MAX_WRITES, type Transaction } from './port.ts'

/** A transaction that any store can carry out: bounded, no key written twice, values as they were when it was given. */
export interface EncodedTransaction {
  readonly conditions: readonly { readonly key: string; readonly revision: number }[]
  readonly puts: readonly { readonly key: string; readonly text: string; readonly lease: string | null }[]
  readonly deletes: readonly string[]
}

/** Errors: `store.too_large`, `store.duplicate_key`, `store.key_invalid`, `store.value_invalid`. */
export function encodeTransaction({ conditions = [], puts = [], deletes = [] }: Transaction): EncodedTransaction {
  const writes = puts.length + deletes.length
  if (writes > MAX_WRITES || conditions.length > MAX_WRITES)
    throw storeError(
      'store.too_large',
      `a transaction of ${writes} writes and ${conditions.length} conditions; of each ${MAX_WRITES} is the most`,
    )
  const seen = new Set<string>()
  for (const key of [...puts.map((put) => put.key), ...deletes]) {
    checkKey(key)
    if (seen.has(key)) throw storeError('store.duplicate_key', `a transaction writes ${JSON.stringify(key)} twice`)
    seen.add(key)
  }
  let bytes = 0
  const encoded = puts.map(({ key, value, lease }) => {
    const text = encodeValue(key, value)
    bytes += text.length + key.length
    return { key, text, lease: lease ?? null }
  })
  if (bytes > MAX_TRANSACTION_BYTES)
    throw storeError('store.too_large', `a transaction of ${bytes} bytes; ${MAX_TRANSACTION_BYTES} is the most`)
  return { conditions, puts: encoded, deletes }
}

/** Half of a surrogate pair would become another key on the way to the disk. */
function checkKey(key: string): void {
  const isGood = key !== '' && !key.includes('\0') && key.isWellFormed() && Buffer.byteLength(key) <= MAX_KEY_BYTES
  if (!isGood)
    throw storeError('store.key_invalid', `${JSON.stringify(key.slice(0, MAX_KEY_BYTES))} is no key: 1 to ${MAX_KEY_BYTES} bytes`)
}

function encodeValue(key: string, value: unknown): string {
  const text = value === null ? undefined : (JSON.stringify(value) as string | undefined)
  if (text === undefined)
    throw storeError('store.value_invalid', `the value of ${key} is ${String(value)}: delete the key instead`)
  const bytes = Buffer.byteLength(text)
  if (bytes > MAX_VALUE_BYTES)
    throw storeError('store.too_large', `the value of ${key} has ${bytes} bytes; ${MAX_VALUE_BYTES} is the most`)
  return text
}
