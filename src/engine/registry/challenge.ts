/** One way that a server offers to sign in (RFC 9110, section 11.6.1). Scheme and parameter names in lower case. */
export interface Challenge {
  readonly scheme: string
  readonly parameters: ReadonlyMap<string, string>
}

/** A header of this length has been padded by somebody. */
const MAX_HEADER_CHARACTERS = 8 * 1024

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const SCHEME = new RegExp(`^(${TOKEN})(?: +|$)`)
const PARAMETER = new RegExp(`^(${TOKEN})\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|(${TOKEN}))`)
const SEPARATOR = /^[\s,]+/

/** Reads `WWW-Authenticate`, however many challenges it holds. What cannot be read ends the list: a broken challenge is none. */
export function parseChallenges(header: string): readonly Challenge[] {
  if (header.length > MAX_HEADER_CHARACTERS) return []
  const found: { scheme: string; parameters: Map<string, string> }[] = []
  let rest = header.replace(SEPARATOR, '')
  while (rest !== '') {
    const parameter = PARAMETER.exec(rest)
    const last = found.at(-1)
    if (parameter !== null && last !== undefined) {
      const [all, name = '', quoted, plain] = parameter
      // The first of a name counts: a second one is an attempt to be read in two ways.
      const key = name.toLowerCase()
      if (!last.parameters.has(key)) last.parameters.set(key, quoted?.replace(/\\(.)/g, '$1') ?? plain ?? '')
      rest = rest.slice(all.length)
    } else {
      const scheme = SCHEME.exec(rest)
      if (scheme === null) break
      found.push({ scheme: (scheme[1] ?? '').toLowerCase(), parameters: new Map() })
      rest = rest.slice(scheme[0].length)
    }
    rest = rest.replace(SEPARATOR, '')
  }
  return found
}
