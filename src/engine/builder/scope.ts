import { expandBody, expandWord, expandWords, type Expansion, type Place } from '#oci/dockerfile'

/** Names that every build knows without ARG: their values reach RUN, and neither cache keys nor history. */
export const PROXY_NAMES: readonly string[] = ['HTTP_PROXY', 'HTTPS_PROXY', 'FTP_PROXY', 'NO_PROXY', 'ALL_PROXY'].flatMap(
  (name) => [name, name.toLowerCase()],
)

/** The variables of one stage as they stand before an instruction. ENV wins over ARG. */
export interface Scope {
  readonly env: ReadonlyMap<string, string>
  /** Declared by ARG; without a value when neither default nor `--build-arg` gave one. */
  readonly args: ReadonlyMap<string, string | undefined>
}

function lookup(scope: Scope, name: string): string | undefined {
  return scope.env.get(name) ?? scope.args.get(name)
}

export function envOf(list: readonly string[]): Map<string, string> {
  return new Map(
    list.map((line) => {
      const equals = line.indexOf('=')
      return equals < 0 ? [line, ''] : [line.slice(0, equals), line.slice(equals + 1)]
    }),
  )
}

export function envList(env: ReadonlyMap<string, string>): string[] {
  return [...env].map(([name, value]) => `${name}=${value}`)
}

/** What a RUN step sees of ARG: those with a value that ENV does not hide. */
export function visibleArgs(scope: Scope): Map<string, string> {
  const visible = new Map<string, string>()
  for (const [name, value] of scope.args) if (value !== undefined && !scope.env.has(name)) visible.set(name, value)
  return visible
}

export interface Expander {
  word(text: string): string
  words(text: string): readonly string[]
  /** Of a here-document. */
  body(text: string): string
}

/** Expansion at one instruction: all its words see the values from before it. */
export function expander(
  scope: Scope,
  place: Place,
  escape: Expansion['escape'],
  onUnset: (name: string, place: Place, known: Iterable<string>) => void,
): Expander {
  const expansion: Expansion = {
    place,
    escape,
    lookup: (name) => lookup(scope, name),
    onUnset: (name) => {
      if (!scope.args.has(name) && !PROXY_NAMES.includes(name)) onUnset(name, place, [...scope.env.keys(), ...scope.args.keys()])
    },
  }
  return {
    word: (text) => expandWord(text, expansion),
    words: (text) => expandWords(text, expansion),
    body: (text) => expandBody(text, expansion),
  }
}
