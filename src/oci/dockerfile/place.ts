import type { GloveboxError } from '#base'

import { dockerfileError, type DockerfileErrorCode } from './errors.ts'

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
