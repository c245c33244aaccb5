import type { TableEntry } from './command.ts'

/** All words for a command. */
export function namesOf(entry: TableEntry): readonly string[] {
  return [entry.name, ...entry.aliases]
}

export function commandNamed(entries: readonly TableEntry[], name: string): TableEntry | undefined {
  return entries.find((entry) => namesOf(entry).includes(name))
}

/** The commands of a group, `container ls`, under the name that has the group's word in it. */
export function membersOf(entries: readonly TableEntry[], group: string): readonly string[] {
  return entries.flatMap((entry) => namesOf(entry).filter((name) => name.startsWith(`${group} `)))
}
