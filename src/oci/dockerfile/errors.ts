import { declareErrors } from '#base'

export const dockerfileError = declareErrors({
  'dockerfile.invalid': 'invalid',
  'dockerfile.empty': 'invalid',
  'dockerfile.unknown_instruction': 'invalid',
  'dockerfile.expansion': 'invalid',
  'dockerfile.too_large': 'exhausted',
})

export type DockerfileErrorCode = keyof typeof dockerfileError.codes
