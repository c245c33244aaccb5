import type { Random } from './random.ts'

declare const brand: unique symbol
/** A string that only its own maker hands out. */
export type Branded<B extends string> = string & { readonly [brand]: B }

export type ContainerId = Branded<'ContainerId'>
export type ExecId = Branded<'ExecId'>
export type NetworkId = Branded<'NetworkId'>
export type EndpointId = Branded<'EndpointId'>
/** `sha256:` and 64 lower-case hexadecimal digits. */
export type Digest = Branded<'Digest'>

/** 64 lower-case hexadecimal digits, the form that Docker clients expect of container and network ids. */
export function newId<T extends string>(random: Random): T {
  return random.bytes(32).toString('hex') as T
}

/** The first 12 digits, as tables show it. */
export function shortId(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, 12)
}
