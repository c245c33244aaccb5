/** Keys of a set's elements with what follows them: of a map `: value`, of a set nothing. */
export type Elements = ReadonlyMap<string, string>

/** One table of family `inet`. */
export interface Ruleset {
  /** Name and lines of each set and map, without its elements. They never change. */
  readonly sets: ReadonlyMap<string, readonly string[]>
  /** Name and lines of each chain. Further ones may come with time; one that is there never changes. */
  readonly chains: ReadonlyMap<string, readonly string[]>
  /** By the set's name; one that is left out is empty. */
  readonly elements: ReadonlyMap<string, Elements>
}

/** All of it as one transaction, whatever was there before. Statements stand on lines of their own, for nft 1.0.6 wants that. */
export function wholeScript(table: string, wanted: Ruleset): string {
  const block = (word: string, [name, lines]: readonly [string, readonly string[]]) => [`${word} ${name} {`, ...lines, '}']
  return [
    // Deleting a table that is not there fails; adding one that is there does not.
    `table inet ${table}`,
    `delete table inet ${table}`,
    `table inet ${table} {`,
    ...[...wanted.sets].flatMap(([name, lines]) => block(lines.some((line) => isMapType(line)) ? 'map' : 'set', [name, lines])),
    ...[...wanted.chains].flatMap((chain) => block('chain', chain)),
    '}',
    ...[...wanted.elements].flatMap(([set, elements]) => change('add', table, set, elements)),
    '',
  ].join('\n')
}

function isMapType(line: string): boolean {
  return /^type(of)? .* : /.test(line)
}

/** From what stands to what is wanted; empty when nothing differs. Every packet sees all of it or nothing. */
export function changeScript(table: string, standing: Ruleset, wanted: Ruleset): string {
  const newChains = [...wanted.chains].filter(([name]) => !standing.chains.has(name))
  const names = new Set([...standing.elements.keys(), ...wanted.elements.keys()])
  const gone: string[] = []
  const added: string[] = []
  for (const name of names) {
    const before: Elements = standing.elements.get(name) ?? new Map()
    const after: Elements = wanted.elements.get(name) ?? new Map()
    const leaving = [...before].filter(([key, value]) => after.get(key) !== value)
    const coming = [...after].filter(([key, value]) => before.get(key) !== value)
    gone.push(...change('delete', table, name, new Map(leaving.map(([key]) => [key, '']))))
    added.push(...change('add', table, name, new Map(coming)))
  }
  const lines = [
    ...newChains.map(([name]) => `add chain inet ${table} ${name}`),
    ...newChains.flatMap(([name, rules]) => rules.map((rule) => `add rule inet ${table} ${name} ${rule}`)),
    ...gone,
    ...added,
  ]
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

function change(verb: 'add' | 'delete', table: string, set: string, elements: Elements): readonly string[] {
  if (elements.size === 0) return []
  const texts = [...elements].map(([key, value]) => `${key}${value}`)
  return [`${verb} element inet ${table} ${set} { ${texts.join(', ')} }`]
}

/** What the kernel holds after the change: chains stay. */
export function standingAfter(standing: Ruleset, wanted: Ruleset): Ruleset {
  return { ...wanted, chains: new Map([...standing.chains, ...wanted.chains]) }
}
