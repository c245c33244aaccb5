import { randomBytes } from 'node:crypto'

/** Randomness as a port: the simulator gives a seeded one. */
export interface Random {
  bytes(length: number): Buffer
  /** A whole number in [0, below). */
  integer(below: number): number
}

export function systemRandom(): Random {
  return {
    bytes: (length) => randomBytes(length),
    integer: (below) => randomBytes(6).readUIntBE(0, 6) % below,
  }
}

/** Same seed, same numbers (mulberry32). Not for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
  return {
    bytes: (length) => Buffer.from(Array.from({ length }, () => Math.floor(next() * 256))),
    integer: (below) => Math.floor(next() * below),
  }
}
