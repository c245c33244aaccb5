import { logError } from './errors.ts'
import type { AttributeChoice } from './options.ts'
import { renderTag, type TagFacts } from './tag.ts'

/** Of a container, what its log lines may carry. */
export interface AttributeFacts {
  readonly labels: Readonly<Record<string, string>>
  /** `NAME=value` */
  readonly env: readonly string[]
  readonly tag: TagFacts
}

/** The shim's buffers hold so many bytes of them beside a line. */
const MAX_ATTRIBUTES_BYTES = 16 * 1024

/**
 * What is written with each line, as dockerd chooses it: labels and variables by name or pattern, and the tag. Null: nothing.
 * Errors: `log.option_invalid`, when it is more than a line can carry.
 */
export function chooseAttributes(choice: AttributeChoice, facts: AttributeFacts): Readonly<Record<string, string>> | null {
  const chosen = new Map<string, string>()
  for (const [name, value] of Object.entries(facts.labels))
    if (choice.labels.includes(name) || choice.labelsPattern?.test(name) === true) chosen.set(name, value)
  for (const entry of facts.env) {
    const mark = entry.indexOf('=')
    const name = mark === -1 ? entry : entry.slice(0, mark)
    if (choice.env.includes(name) || choice.envPattern?.test(name) === true)
      chosen.set(name, mark === -1 ? '' : entry.slice(mark + 1))
  }
  if (choice.tag !== null) chosen.set('tag', renderTag(choice.tag, facts.tag))
  if (chosen.size === 0) return null
  const attributes = Object.fromEntries([...chosen].toSorted(([a], [b]) => (a < b ? -1 : 1)))
  const bytes = Buffer.byteLength(JSON.stringify(attributes))
  if (bytes <= MAX_ATTRIBUTES_BYTES) return attributes
  throw logError(
    'log.option_invalid',
    `the log options labels, env and tag choose ${bytes} bytes for each line; ${MAX_ATTRIBUTES_BYTES} are allowed`,
  )
}

/** As `docker logs --details` shows them: `a=b,c=d`, escaped as in a query. */
export function attributesText(attributes: Readonly<Record<string, string>>): string {
  return Object.entries(attributes)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${queryEscape(name)}=${queryEscape(value)}`)
    .join(',')
}

/** Go's url.QueryEscape. */
function queryEscape(text: string): string {
  return encodeURIComponent(text)
    .replaceAll('%20', '+')
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
}
