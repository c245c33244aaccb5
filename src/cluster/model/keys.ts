/** The first part of each key in the store, before the slash. */
const KINDS = [
  'node',
  'service',
  'revision',
  'task',
  'stack',
  'secret',
  'config',
  'network',
  'run',
  'schedule',
  'history',
  'turn',
  'name',
  'alive',
  'environment',
] as const
export type Kind = (typeof KINDS)[number]

/** `service/ID`; `revision/SERVICE/00000012`, so that revisions come in order. */
export function keyOf(kind: Kind, ...ids: readonly (string | number)[]): string {
  return [kind, ...ids.map((id) => (typeof id === 'number' ? String(id).padStart(NUMBER_DIGITS, '0') : id))].join('/')
}

/** Everything of a kind, or of what is named. */
export function prefixOf(kind: Kind, ...ids: readonly string[]): string {
  return `${[kind, ...ids].join('/')}/`
}

const NUMBER_DIGITS = 8
