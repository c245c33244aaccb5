import type { Command, Group, TableEntry } from '../command.ts'

/** A line of the command table. The command itself is loaded when it is used. */
export function entry(
  group: Group,
  name: string,
  summary: string,
  load: () => Promise<Command>,
  aliases: readonly string[] = [],
): TableEntry {
  return { group, name, summary, load, aliases }
}
