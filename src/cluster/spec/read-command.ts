import { commandWords } from './command-words.ts'
import type { Field } from './fields.ts'

/** A list of words, or a text that is split as a shell would; null: not said. */
export function readCommand(command: Field): readonly string[] | null {
  if (!command.isPresent) return null
  if (command.isList()) return command.texts()
  const words = commandWords(command.text() ?? '')
  if (words === undefined) command.refuse(`${JSON.stringify(command.value)} has a quote that is never closed`)
  return words ?? null
}
