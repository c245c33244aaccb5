/**
 * The only truth of the cluster: keys and JSON values with revisions, leases and watches, behind one port. What a call returned from is durable.
 * Here it is a file of this machine; every other implementation passes the same exam.
 */
export { storeError } from './errors.ts'
export { encodeTransaction, type EncodedTransaction } from './encode-transaction.ts'
export { memoryStore, type MemoryStore } from './memory.ts'
export * from './port.ts'
export { openSqliteStore, type SqliteStoreOptions } from './sqlite.ts'
