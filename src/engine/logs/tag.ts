import { logError } from './errors.ts'

/** A Go template of Docker's `tag` option, of which the fields are known and functions are not. */
export type TagTemplate = readonly (string | { readonly field: keyof TagFacts })[]

/** What a tag can say: docs.docker.com, "Customize log driver output". */
export interface TagFacts {
  readonly ID: string
  readonly FullID: string
  readonly Name: string
  readonly FullName: string
  readonly ImageID: string
  readonly ImageFullID: string
  readonly ImageName: string
  readonly DaemonName: string
}

const FIELDS: ReadonlySet<string> = new Set([
  ...['ID', 'FullID', 'Name', 'FullName', 'ImageID', 'ImageFullID', 'ImageName', 'DaemonName'],
])
const MAX_TAG_CHARACTERS = 1024

/** Errors: `log.option_invalid`. */
export function readTagTemplate(text: string): TagTemplate {
  if (text.length > MAX_TAG_CHARACTERS) throw logError('log.option_invalid', `log opt tag: longer than ${MAX_TAG_CHARACTERS}`)
  return text.split(/(\{\{[^{}]*\}\})/).flatMap((part) => (part === '' ? [] : [partOf(part, text)]))
}

function partOf(part: string, text: string): TagTemplate[number] {
  const field = /^\{\{-?\s*\.([A-Za-z]+)\s*-?\}\}$/.exec(part)?.[1]
  if (field !== undefined && FIELDS.has(field)) return { field: field as keyof TagFacts }
  if (!part.includes('{{') && !part.includes('}}')) return part
  throw logError('log.option_invalid', `log opt tag=${text}: ${JSON.stringify(part)} is not one of the known fields`, {
    hint: `Known are ${[...FIELDS].map((name) => `{{.${name}}}`).join(', ')}.`,
  })
}

export function renderTag(template: TagTemplate, facts: TagFacts): string {
  return template.map((part) => (typeof part === 'string' ? part : facts[part.field])).join('')
}
