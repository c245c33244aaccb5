import { declareErrors } from '#base'
import type { Place } from '#oci/dockerfile'

export const buildError = declareErrors({
  'build.base_not_found': 'not_found',
  'build.cache_invalid': 'invalid',
  'build.check_failed': 'invalid',
  'build.checksum_mismatch': 'invalid',
  'build.context_invalid': 'invalid',
  'build.context_too_large': 'exhausted',
  'build.copy_failed': 'invalid',
  'build.dockerfile_not_found': 'invalid',
  'build.instruction_invalid': 'invalid',
  'build.limits_invalid': 'invalid',
  'build.not_allowed': 'denied',
  'build.output_invalid': 'invalid',
  'build.owner_unknown': 'invalid',
  'build.program_missing': 'unsupported',
  'build.remote_failed': 'unavailable',
  'build.remote_invalid': 'invalid',
  'build.remote_refused': 'denied',
  'build.platform_foreign': 'unsupported',
  'build.run_failed': 'invalid',
  'build.secret_missing': 'invalid',
  'build.ssh_missing': 'invalid',
  'build.session_unknown': 'not_found',
  'build.stage_not_found': 'invalid',
  'build.too_many_layers': 'exhausted',
  'build.too_many_stages': 'exhausted',
  'build.unsupported': 'unsupported',
})

export type BuildErrorCode = keyof typeof buildError.codes

/** An error of the build at a line of the Dockerfile, with what to write instead. */
export function buildErrorAt(code: BuildErrorCode, place: Place, message: string, hint?: string) {
  return buildError(code, `${place.file}:${place.line}: ${message}`, {
    details: { file: place.file, line: place.line },
    ...(hint === undefined ? {} : { hint }),
  })
}
