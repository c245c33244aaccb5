import { declareErrors, type GloveboxError } from '#base'

export const dockerfileError = declareErrors({
  'dockerfile.invalid': 'invalid',
  'dockerfile.empty': 'invalid',
  'dockerfile.unknown_instruction': 'invalid',
  'dockerfile.expansion': 'invalid',
  'dockerfile.too_large': 'exhausted',
})

export type DockerfileErrorCode = keyof typeof dockerfileError.codes & string

/** Where something stands: `Dockerfile:12`. */
export interface Place {
  readonly file: string
  readonly line: number
}

/** An error at a place, with what to write instead. */
export function refuse(
  place: Place,
  message: string,
  hint?: string,
  code: DockerfileErrorCode = 'dockerfile.invalid',
): GloveboxError {
  return dockerfileError(code, `${place.file}:${place.line}: ${message}`, {
    details: { file: place.file, line: place.line },
    ...(hint === undefined ? {} : { hint }),
  })
}

/** A value of the user's as an error message shows it: quoted, and not too long to read. */
export function shown(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text)
}
