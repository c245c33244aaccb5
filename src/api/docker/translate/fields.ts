import { isObject } from '#api/http'

import { dockerError } from '../errors.ts'

/**
 * What we know of the fields of a request:
 * Fields that no version of the API describes are passed over, as dockerd does: clients send fields of their own and of later versions.
 * `taken`: read and obeyed, whatever the value. `unused`: known, not supported; passes while it is empty, as clients send every field of their structures.
 * `reported`: the API's own answers carry it and clients send it back; it orders nothing. `each`: the same for every element of a list or a map.
 */
export type FieldRule = 'taken' | 'unused' | 'reported' | FieldTable | { readonly each: FieldTable }
export interface FieldTable {
  readonly fields: Readonly<Record<string, FieldRule>>
}

/** Refuses, by name, the first field that is known and would not be obeyed. Error: `docker.field_unsupported`. */
export function refuseOtherFields(value: unknown, table: FieldTable, at = ''): void {
  if (!isObject(value)) return
  for (const [name, inner] of Object.entries(value)) refuse(inner, ruleOf(table, name), at === '' ? name : `${at}.${name}`)
}

/** Names of fields count in whatever case: Go reads them so. */
function ruleOf({ fields }: FieldTable, name: string): FieldRule | undefined {
  if (Object.hasOwn(fields, name)) return fields[name]
  const lower = name.toLowerCase()
  return Object.entries(fields).find(([known]) => known.toLowerCase() === lower)?.[1]
}

function refuse(value: unknown, rule: FieldRule | undefined, at: string): void {
  if (rule === undefined || rule === 'taken' || rule === 'reported' || isEmpty(value)) return
  if (rule === 'unused')
    throw dockerError('docker.field_unsupported', `${at} is not supported (it is ${JSON.stringify(value).slice(0, 100)})`)
  if ('fields' in rule) refuseOtherFields(value, rule, at)
  else if (typeof value === 'object' && value !== null)
    for (const [name, inner] of Object.entries(value)) refuseOtherFields(inner, rule.each, `${at}[${name}]`)
}

/** Go's zero values, and structures of nothing else. */
function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === '' || value === 0 || value === false) return true
  return typeof value === 'object' && Object.values(value).every(isEmpty)
}
