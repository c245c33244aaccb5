import { declareErrors, GloveboxError, type ErrorKind } from '#base'
import { messageFor } from '#api/http'

export const registryApiError = declareErrors({
  'registry_api.unauthorized': 'denied',
  'registry_api.denied': 'denied',
  'registry_api.unsupported': 'unsupported',
  'registry_api.address_in_use': 'conflict',
  'registry_api.address_invalid': 'invalid',
  'registry_api.tls_invalid': 'invalid',
  'registry_api.range_invalid': 'invalid',
  'registry_api.request_invalid': 'invalid',
  'registry_api.route_unknown': 'not_found',
})

/** How a failure looks on the wire. */
export interface WireError {
  readonly status: number
  readonly code: string
  readonly message: string
  readonly detail: unknown
}

/** distribution-spec, "Error Codes", and the statuses that its sections give. */
const BY_CODE: Readonly<Record<string, readonly [status: number, code: string]>> = {
  'repository.name_invalid': [400, 'NAME_INVALID'],
  'repository.unknown': [404, 'NAME_UNKNOWN'],
  'repository.tag_invalid': [400, 'MANIFEST_INVALID'],
  'repository.digest_invalid': [400, 'DIGEST_INVALID'],
  'repository.manifest_unknown': [404, 'MANIFEST_UNKNOWN'],
  'repository.manifest_invalid': [400, 'MANIFEST_INVALID'],
  'repository.manifest_blob_unknown': [404, 'MANIFEST_BLOB_UNKNOWN'],
  'repository.blob_unknown': [404, 'BLOB_UNKNOWN'],
  'repository.blob_in_use': [405, 'UNSUPPORTED'],
  'repository.blob_too_large': [413, 'SIZE_INVALID'],
  'repository.manifest_in_use': [405, 'UNSUPPORTED'],
  'repository.upload_unknown': [404, 'BLOB_UPLOAD_UNKNOWN'],
  'repository.upload_busy': [416, 'BLOB_UPLOAD_INVALID'],
  'repository.upload_invalid': [400, 'SIZE_INVALID'],
  'repository.upload_out_of_order': [416, 'BLOB_UPLOAD_INVALID'],
  'repository.too_many_uploads': [429, 'TOOMANYREQUESTS'],
  'repository.too_many_sign_ins': [429, 'TOOMANYREQUESTS'],
  'digest.mismatch': [400, 'DIGEST_INVALID'],
  'digest.invalid': [400, 'DIGEST_INVALID'],
  'http.body_too_large': [413, 'MANIFEST_INVALID'],
  'registry_api.unauthorized': [401, 'UNAUTHORIZED'],
  'registry_api.range_invalid': [416, 'RANGE_INVALID'],
  'registry_api.unsupported': [405, 'UNSUPPORTED'],
  'content.disk_full': [507, 'UNKNOWN'],
}

const BY_KIND: Readonly<Record<ErrorKind, readonly [status: number, code: string]>> = {
  invalid: [400, 'UNKNOWN'],
  denied: [403, 'DENIED'],
  not_found: [404, 'UNKNOWN'],
  conflict: [409, 'UNKNOWN'],
  exhausted: [503, 'TOOMANYREQUESTS'],
  unavailable: [503, 'UNAVAILABLE'],
  unsupported: [405, 'UNSUPPORTED'],
  timeout: [504, 'UNKNOWN'],
  cancelled: [499, 'UNKNOWN'],
  internal: [500, 'UNKNOWN'],
}

export function wireError(error: unknown): WireError {
  const [status, code] = error instanceof GloveboxError ? (BY_CODE[error.code] ?? BY_KIND[error.kind]) : BY_KIND.internal
  return { status, code, message: messageFor(error), detail: error instanceof GloveboxError ? error.details : {} }
}
