import { GloveboxError } from './errors.ts'

/** States what must be true. Stays on in production: a broken belief stops the smallest part that can be restarted. */
export function invariant(condition: unknown, belief: string): asserts condition {
  if (!condition) throw new GloveboxError('invariant.broken', 'internal', `invariant broken: ${belief}`)
}

/** For the end of a switch over a closed union: the compiler proves that it cannot be reached. */
export function unreachable(value: never): never {
  throw new GloveboxError('invariant.broken', 'internal', `unexpected value ${JSON.stringify(value)}`)
}
