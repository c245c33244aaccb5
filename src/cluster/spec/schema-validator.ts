import type { SchemaError } from './schema-error.ts'
import { childPointer, splitPointer, type Complaints } from './problems.ts'

/** Reports where the file does not have the form of the Compose specification, in the words of the user's file. */
export function reportViolations(errors: readonly SchemaError[], complaints: Complaints): void {
  const choices = errors.filter((error) => error.keyword === 'oneOf' || error.keyword === 'anyOf')
  for (const error of errors) {
    if (choices.includes(error)) continue
    if (choices.some((choice) => choice.instancePath === error.instancePath)) continue
    report(error, complaints)
  }
  for (const choice of choices) reportChoice(choice, errors, complaints)
}

/** None of the forms fits. Of those that have the right type, say what is wrong inside; else say which types there are. */
function reportChoice(choice: SchemaError, errors: readonly SchemaError[], complaints: Complaints): void {
  const path = choice.instancePath
  if (errors.some((error) => error.instancePath.startsWith(`${path}/`))) return
  const here = errors.filter((error) => error.instancePath === path && error !== choice)
  const inside = here.filter((error) => !['type', 'oneOf', 'anyOf'].includes(error.keyword))
  if (inside.length > 0) return inside.forEach((error) => report(error, complaints))
  const types = new Set(
    here.filter((error) => error.keyword === 'type').flatMap((error) => error.params['type'] as string | string[]),
  )
  complaints.add(path, `${lastName(path)} must be ${[...types].map((type) => article(type)).join(' or ')}`)
}

function report(error: SchemaError, complaints: Complaints): void {
  const { instancePath: path, params } = error
  switch (error.keyword) {
    case 'additionalProperties': {
      const name = String(params['additionalProperty'])
      return complaints.add(childPointer(path, name), `field "${name}" is unknown${path === '' ? ' at the top of the file' : ''}`)
    }
    case 'required':
      return complaints.add(path, `${lastName(path)} needs the field "${String(params['missingProperty'])}"`)
    case 'type':
      return complaints.add(path, `${lastName(path)} must be ${[params['type']].flat().map(article).join(' or ')}`)
    case 'enum':
      return complaints.add(path, `${lastName(path)} must be one of ${(params['allowedValues'] as unknown[]).join(', ')}`)
    case 'uniqueItems':
      return complaints.add(path, `${lastName(path)} lists the same thing twice`)
    default:
      return complaints.add(path, `${lastName(path)} ${error.message ?? 'is not valid'}`)
  }
}

/** `/services/web/ports` becomes `"ports"`. */
function lastName(path: string): string {
  const parts = splitPointer(path)
  const name = parts.findLast((part) => !/^\d+$/.test(part))
  return name === undefined ? 'the file' : `"${name}"`
}

function article(type: unknown): string {
  const names: Readonly<Record<string, string>> = {
    object: 'a mapping',
    array: 'a list',
    string: 'text',
    number: 'a number',
    integer: 'a whole number',
    boolean: 'true or false',
    null: 'empty',
  }
  return names[String(type)] ?? String(type)
}
