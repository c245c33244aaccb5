/**
 * The one error class of the house. `code` says which thing went wrong, `kind` decides what the edges do about it
 * (retry, HTTP status, exit code), and the message reads as a chain once causes are added.
 */
export type ErrorKind =
  | 'invalid'
  | 'not_found'
  | 'conflict'
  | 'denied'
  | 'exhausted'
  | 'unavailable'
  | 'timeout'
  | 'cancelled'
  | 'unsupported'
  | 'internal'

export interface GloveboxErrorOptions {
  readonly cause?: unknown
  /** What the reader should do about it, as a full sentence. */
  readonly hint?: string
  /** Values for machines: never needed to understand the message. */
  readonly details?: Readonly<Record<string, unknown>>
}

export class GloveboxError extends Error {
  readonly code: string
  readonly kind: ErrorKind
  readonly hint: string | undefined
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: string, kind: ErrorKind, message: string, options: GloveboxErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'GloveboxError'
    this.code = code
    this.kind = kind
    this.hint = options.hint
    this.details = options.details ?? {}
  }
}

/**
 * Declares the error codes of a module, once, with the kind of each, and gives back the maker of its errors:
 * `const imageError = declareErrors({ 'image.not_found': 'not_found' })`, then `throw imageError('image.not_found', 'no such image: web:1')`.
 */
export function declareErrors<T extends Readonly<Record<`${string}.${string}`, ErrorKind>>>(codes: T): ErrorMaker<T> {
  const make = (code: keyof T & string, message: string, options?: GloveboxErrorOptions) => {
    const kind: ErrorKind = codes[code as keyof T & `${string}.${string}`] ?? 'internal'
    return new GloveboxError(code, kind, message, options)
  }
  return Object.assign(make, { codes })
}

export interface ErrorMaker<T> {
  (code: keyof T & string, message: string, options?: GloveboxErrorOptions): GloveboxError
  /** The table itself, for the list of all errors in the documentation. */
  readonly codes: T
}

/** Codes that any module may use. */
export const fail = declareErrors({
  'input.invalid': 'invalid',
  'input.unsupported': 'unsupported',
  'invariant.broken': 'internal',
  'operation.cancelled': 'cancelled',
  'operation.timeout': 'timeout',
  'queue.full': 'exhausted',
})

/** Adds what was being done to whatever went wrong, keeping code, kind, hint and details: `start container web: mount /data: …`. */
export function during(doing: string, error: unknown): GloveboxError {
  if (error instanceof GloveboxError) {
    const { code, kind, hint, details } = error
    return new GloveboxError(code, kind, `${doing}: ${error.message}`, {
      cause: error,
      details,
      ...(hint === undefined ? {} : { hint }),
    })
  }
  return new GloveboxError('invariant.broken', 'internal', `${doing}: ${messageOf(error)}`, { cause: error })
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Node's own errors carry `code` strings such as ENOENT. */
export function systemCodeOf(error: unknown): string | undefined {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code
  return undefined
}

export function isKind(error: unknown, kind: ErrorKind): error is GloveboxError {
  return error instanceof GloveboxError && error.kind === kind
}
