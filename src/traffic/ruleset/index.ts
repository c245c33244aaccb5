/**
 * Tables of nftables whose rules hardly change and whose sets do: what is wanted as a value, the transaction from what stands to what is wanted, and
 * a keeper that brings it to the kernel, one transaction at a time.
 */
export { keepTable, type NftPort, type TableKeeper } from './keep-table.ts'
export { changeScript, wholeScript, type Elements, type Ruleset } from './ruleset.ts'
