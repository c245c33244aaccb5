import type { Clock } from '#base'

/** Wrong passwords in a row that are forgiven: of one address, and of one name from anywhere. */
export const MAX_OF_ADDRESS = 10
export const MAX_OF_NAME = 20
/** After that, one more guess in this time. */
export const FORGIVEN_EVERY_MS = 30_000
/** Keys that are remembered; the one that failed longest ago goes first. */
const MAX_KEYS = 20_000

/** Counts wrong passwords, so that nobody tries many. A counter drains with time. */
export interface Attempts {
  /** 0: another try is welcome; else how long it has to wait. */
  waitMs(address: string, name: string): number
  failed(address: string, name: string): void
}

interface Level {
  readonly count: number
  readonly atMs: number
}

export function createAttempts(clock: Clock): Attempts {
  const levels = new Map<string, Level>()
  const levelOf = (key: string): number => {
    const level = levels.get(key)
    return level === undefined ? 0 : Math.max(0, level.count - (clock.monotonicMs() - level.atMs) / FORGIVEN_EVERY_MS)
  }
  const waitOf = (key: string, max: number): number => Math.max(0, Math.ceil((levelOf(key) + 1 - max) * FORGIVEN_EVERY_MS))
  const raise = (key: string) => {
    const count = levelOf(key) + 1
    levels.delete(key)
    levels.set(key, { count, atMs: clock.monotonicMs() })
    const [oldest] = levels.keys()
    if (levels.size > MAX_KEYS && oldest !== undefined) levels.delete(oldest)
  }
  return {
    waitMs: (address, name) => Math.max(waitOf(addressKey(address), MAX_OF_ADDRESS), waitOf(nameKey(name), MAX_OF_NAME)),
    failed: (address, name) => {
      raise(addressKey(address))
      raise(nameKey(name))
    },
  }
}

/** Whoever has an IPv6 network of his own has 2^64 addresses: its network counts. */
function addressKey(address: string): string {
  const plain = address.replace(/^::ffff:/, '')
  return `address ${plain.includes(':') ? networkOf(plain) : plain}`
}

function networkOf(address: string): string {
  const [head = '', tail = ''] = address.split('::')
  const before = head.split(':').filter((part) => part !== '')
  const after = tail.split(':').filter((part) => part !== '')
  const zeros = address.includes('::') ? Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0') : []
  return [...before, ...zeros, ...after].slice(0, 4).join(':')
}

function nameKey(name: string): string {
  return `name ${name.slice(0, 64).toLowerCase()}`
}
