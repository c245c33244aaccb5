import { canonical, describedRevision, fieldChanges, type FieldChange, type RevisionRecord } from '#cluster/model'

import { MAX_FIELD_CHARS, MAX_FIELDS } from './bounds.ts'

/** The changes from one revision to another, short enough to be kept. */
export function revisionChanges(
  before: RevisionRecord,
  after: RevisionRecord,
): { readonly fields: readonly FieldChange[]; readonly omittedFields: number } {
  const all = fieldChanges(describedRevision(before), describedRevision(after))
  return { fields: all.slice(0, MAX_FIELDS).map(shortened), omittedFields: Math.max(0, all.length - MAX_FIELDS) }
}

function shortened({ path, ...values }: FieldChange): FieldChange {
  const short = (value: unknown) => {
    const text = canonical(value)
    return text.length <= MAX_FIELD_CHARS ? value : `${text.slice(0, MAX_FIELD_CHARS)}… (${text.length} characters)`
  }
  return { path, ...Object.fromEntries(Object.entries(values).map(([name, value]) => [name, short(value)])) }
}
