import { secretError } from './errors.ts'
import { MAX_SECRET_BYTES, type NewSecret, type SecretKind } from './port.ts'

/** As swarm mode has it. */
const NAME = /^[a-zA-Z0-9](?:[a-zA-Z0-9._-]{0,62}[a-zA-Z0-9])?$/
/** Names and values of labels together: they are shown in lists and travel with every answer. */
const MAX_LABEL_BYTES = 64 * 1024

export function checkName(kind: SecretKind, name: string): void {
  if (NAME.test(name)) return
  throw secretError('secret.name_invalid', `${JSON.stringify(name.slice(0, 100))} is no name of a ${kind}`, {
    hint: 'Give 1 to 64 letters, digits, dots, dashes and underscores; first and last a letter or a digit.',
  })
}

/** The value is never a part of what is said of it. */
export function checkValue(kind: SecretKind, name: string, { length }: Pick<NewSecret['value'], 'length'>): void {
  if (length > 0 && length <= MAX_SECRET_BYTES) return
  throw secretError(
    'secret.too_large',
    `the value of the ${kind} ${name} has ${length} bytes: it must have 1 to ${MAX_SECRET_BYTES}`,
  )
}

export function checkLabels(kind: SecretKind, name: string, labels: NewSecret['labels']): void {
  const bytes = Object.entries(labels).reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0)
  if (bytes <= MAX_LABEL_BYTES) return
  throw secretError(
    'secret.labels_too_large',
    `the labels of the ${kind} ${name} have ${bytes} bytes; ${MAX_LABEL_BYTES} is the most`,
  )
}
