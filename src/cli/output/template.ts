import { cliError } from '../errors.ts'

/**
 * `{{.Name}}`, `{{.State.Status}}` and `{{json .}}`: the part of Go templates that scripts use to pick fields. What else a template may hold is
 * refused by name instead of being printed wrong. Errors: `cli.usage`.
 */
export function fillTemplate(template: string, value: unknown): string {
  return template
    .replaceAll('\\t', '\t')
    .replaceAll('\\n', '\n')
    .replace(/\{\{(.*?)\}\}/g, (_, inside: string) => expression(inside.trim(), value))
}

function expression(text: string, value: unknown): string {
  const match = /^(json\s+)?\.([\w.-]*)$/.exec(text)
  if (match === null)
    throw cliError('cli.usage', `--format: {{${text}}} is not supported`, {
      hint: 'Fields ({{.Name}}) and {{json .Field}} are; for more, use --format json and jq.',
    })
  const path = (match[2] ?? '').split('.').filter((name) => name !== '')
  const found = path.reduce((at, name) => field(at, name, text), value)
  return match[1] !== undefined || (typeof found === 'object' && found !== null) ? JSON.stringify(found) : String(found)
}

function field(value: unknown, name: string, expressionText: string): unknown {
  if (typeof value === 'object' && value !== null && Object.hasOwn(value, name))
    return (value as Readonly<Record<string, unknown>>)[name]
  const known = typeof value === 'object' && value !== null ? Object.keys(value) : []
  throw cliError('cli.usage', `--format: {{${expressionText}}}: there is no field ${name}`, {
    hint: `There are: ${known.join(', ')}.`,
  })
}
