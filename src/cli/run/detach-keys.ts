import { cliError } from '../errors.ts'

export const DEFAULT_DETACH_KEYS = 'ctrl-p,ctrl-q'

/** Reads `ctrl-p,ctrl-q`, `ctrl-@` or `x` into the bytes that a terminal sends. Errors: `cli.usage`. */
export function parseDetachKeys(text: string): Buffer {
  return Buffer.from(
    text.split(',').map((key) => {
      const match = /^(?:ctrl-([a-z@[\\\]^_])|([ -~]))$/.exec(key)
      if (match?.[1] !== undefined) return match[1].toUpperCase().charCodeAt(0) - 64
      if (match?.[2] !== undefined) return match[2].charCodeAt(0)
      throw cliError('cli.usage', `--detach-keys: ${JSON.stringify(key)} is neither a character nor ctrl- and a letter`)
    }),
  )
}

/** Watches typed bytes for the keys. What may be their beginning is held back until it is clear that it is not. */
export function detachWatch(keys: Buffer): (chunk: Buffer) => { readonly pass: Buffer; readonly isDetached: boolean } {
  let matched = 0
  return (chunk) => {
    const pass: number[] = []
    for (const byte of chunk) {
      if (byte === keys[matched]) {
        matched += 1
        if (matched === keys.length) return { pass: Buffer.from(pass), isDetached: true }
        continue
      }
      // The longest end of what was held back plus this byte that is a beginning of the keys stays held.
      const held = Buffer.concat([keys.subarray(0, matched), Buffer.from([byte])])
      let keep = Math.min(held.length, keys.length - 1)
      while (keep > 0 && !held.subarray(held.length - keep).equals(keys.subarray(0, keep))) keep -= 1
      pass.push(...held.subarray(0, held.length - keep))
      matched = keep
    }
    return { pass: Buffer.from(pass), isDetached: false }
  }
}
