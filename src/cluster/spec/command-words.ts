/**
 * Splits a command written as one text into words as a POSIX shell would (quotes and backslashes; no expansion), which is how Compose reads
 * `command` and `entrypoint`. Undefined: a quote is never closed.
 */
export function commandWords(text: string): readonly string[] | undefined {
  const words: string[] = []
  let word: string | null = null
  let quote: '"' | "'" | null = null
  for (let index = 0; index < text.length; index += 1) {
    const letter = text[index] ?? ''
    if (quote === "'") {
      if (letter === quote) quote = null
      else word += letter
    } else if (letter === '\\') {
      const next = text[index + 1]
      if (next === undefined) return undefined
      index += 1
      const isKept = quote === '"' && !'"\\$`\n'.includes(next)
      if (next !== '\n') word = (word ?? '') + (isKept ? `\\${next}` : next)
    } else if (quote === '"') {
      if (letter === quote) quote = null
      else word += letter
    } else if (letter === '"' || letter === "'") {
      quote = letter
      word ??= ''
    } else if (/\s/.test(letter)) {
      if (word !== null) words.push(word)
      word = null
    } else {
      word = (word ?? '') + letter
    }
  }
  if (quote !== null) return undefined
  if (word !== null) words.push(word)
  return words
}
