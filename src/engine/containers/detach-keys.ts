import { fail } from '#base'

/** ctrl-p, ctrl-q. */
const DEFAULT_KEYS = [0x10, 0x11]

/** Reads `ctrl-a,x` into bytes. Empty means the default. */
export function parseDetachKeys(text: string): readonly number[] {
  if (text === '') return DEFAULT_KEYS
  return text.split(',').map((key) => {
    const control = /^ctrl-([a-z@[\\\]^_])$/.exec(key)?.[1]
    if (control !== undefined) return control.charCodeAt(0) & 0x1f
    if (key.length === 1) return key.charCodeAt(0)
    throw fail('input.invalid', `detach keys: ${JSON.stringify(key)} is neither one character nor ctrl- with a letter`)
  })
}

/**
 * Looks for the keys in what is typed. Bytes that may begin the sequence are held back until the next one decides;
 * `isDetached` once it is complete, with nothing of it passed on.
 */
export function detachFilter(
  keys: readonly number[],
): (typed: Buffer) => { readonly pass: Buffer; readonly isDetached: boolean } {
  let matched = 0
  return (typed) => {
    const pass: number[] = []
    for (const byte of typed) {
      if (byte === keys[matched]) {
        matched += 1
        if (matched === keys.length) return { pass: Buffer.from(pass), isDetached: true }
        continue
      }
      pass.push(...keys.slice(0, matched))
      matched = byte === keys[0] ? 1 : 0
      if (matched === 0) pass.push(byte)
    }
    return { pass: Buffer.from(pass), isDetached: false }
  }
}
