import { cliError } from '../errors.ts'

/** `type=local,dest=out`: the way in which buildx writes options; a value with commas stands in quotes. Unknown names are refused by `known`. */
export function readOptions(flag: string, word: string, known: readonly string[]): ReadonlyMap<string, string> {
  const options = new Map<string, string>()
  for (const part of fieldsOf(word)) {
    const at = part.indexOf('=')
    const name = (at === -1 ? part : part.slice(0, at)).trim().toLowerCase()
    if (at === -1) throw cliError('cli.usage', `${flag}: ${JSON.stringify(part)} in ${JSON.stringify(word)} is not NAME=VALUE`)
    if (!known.includes(name))
      throw cliError('cli.unsupported', `${flag}: ${JSON.stringify(name)} in ${JSON.stringify(word)} is not supported`, {
        hint: `There are ${known.join(', ')}.`,
      })
    options.set(name, part.slice(at + 1))
  }
  return options
}

/** One line of CSV (RFC 4180): a field may stand in quotes, and two quotes in it are one. */
function fieldsOf(word: string): readonly string[] {
  const fields: string[] = []
  let field = ''
  let isQuoted = false
  for (let at = 0; at < word.length; at += 1) {
    const letter = word[at] ?? ''
    if (letter === '"' && isQuoted && word[at + 1] === '"') {
      field += letter
      at += 1
    } else if (letter === '"' && (isQuoted || field === '')) isQuoted = !isQuoted
    else if (letter === ',' && !isQuoted) {
      fields.push(field)
      field = ''
    } else field += letter
  }
  return [...fields, field]
}

/** Of several, or an error that names them. */
export function oneOfWords<T extends string>(flag: string, name: string, word: string, known: readonly T[]): T {
  const found = known.find((one) => one === word)
  if (found !== undefined) return found
  throw cliError('cli.unsupported', `${flag}: ${name}=${word} is not supported`, { hint: `There are ${known.join(', ')}.` })
}
