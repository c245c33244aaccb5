import { serviceError } from './errors.ts'

/** By id, by name, or by the beginning of exactly one id. Errors: the code given, `service.ambiguous`. */
export function findOne<T>(
  all: readonly T[],
  ref: string,
  names: { readonly id: (item: T) => string; readonly name: (item: T) => string; readonly kind: string },
  notFound: 'service.not_found' | 'service.task_not_found' | 'service.node_not_found',
): T {
  const exact = all.find((item) => names.id(item) === ref) ?? all.find((item) => names.name(item) === ref)
  if (exact !== undefined) return exact
  const begun = ref === '' ? [] : all.filter((item) => names.id(item).startsWith(ref))
  const [only] = begun
  if (only === undefined) throw serviceError(notFound, `no such ${names.kind}: ${ref}`)
  if (begun.length > 1)
    throw serviceError('service.ambiguous', `${begun.length} ${names.kind}s have an id that begins with ${ref}`)
  return only
}
