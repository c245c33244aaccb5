import type { TableEntry } from './command.ts'

/** All words for a command. */
export function namesOf(entry: TableEntry): readonly string[] {
  return [entry.name, ...entry.aliases]
}

export function commandNamed(entries: readonly TableEntry[], name: string): TableEntry | undefined {
  return entries.find((entry) => namesOf(entry).includes(name))
}

/** `dashboard user add` is the longest. */
const MAX_WORDS = 3

/** The command that the words begin with, the longest name first, and how many of them are its name. */
export function longestNamed(
  entries: readonly TableEntry[],
  words: readonly string[],
): { readonly entry: TableEntry; readonly length: number } | undefined {
  for (let length = Math.min(MAX_WORDS, words.length); length > 0; length -= 1) {
    const entry = commandNamed(entries, words.slice(0, length).join(' '))
    if (entry !== undefined) return { entry, length }
  }
  return undefined
}

/** The commands of a group, `container ls`, under the name that has the group's word in it. */
export function membersOf(entries: readonly TableEntry[], group: string): readonly string[] {
  return entries.flatMap((entry) => namesOf(entry).filter((name) => name.startsWith(`${group} `)))
}
