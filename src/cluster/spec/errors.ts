import { declareErrors } from '#base'

export const specError = declareErrors({
  /** The Compose file has problems; `details.problems` lists each with its place. */
  'compose.invalid': 'invalid',
  /** A stack that came over the wire is not of the form that this version reads. */
  'stack_spec.invalid': 'invalid',
})
