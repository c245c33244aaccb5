/** Texts, brackets and whatever else: enough to know how deep a text stands in valid JSON (RFC 8259). */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]:]/g

/** `LINE:COLUMN` of a key of the outermost object in valid JSON, both from 1; of one that comes twice the last, as it is the one that counts. */
export function placeOfKey(json: string, key: string): string {
  let depth = 0
  let at = 0
  let last: { readonly text: string; readonly index: number } | null = null
  for (const { 0: token, index } of json.matchAll(TOKEN)) {
    if (token === '{' || token === '[') depth += 1
    else if (token === '}' || token === ']') depth -= 1
    else if (token === ':' && depth === 1 && last !== null && JSON.parse(last.text) === key) at = last.index
    last = token.startsWith('"') ? { text: token, index } : null
  }
  const before = json.slice(0, at).split('\n')
  return `${before.length}:${(before.at(-1) ?? '').length + 1}`
}
