import { declareErrors } from '#base'

export const archiveError = declareErrors({
  'archive.path_not_found': 'not_found',
  'archive.path_invalid': 'invalid',
  'archive.not_a_directory': 'invalid',
  'archive.kind_conflict': 'invalid',
  'archive.read_only': 'denied',
  'archive.denied': 'denied',
  'archive.node_refused': 'denied',
  'archive.disk_full': 'exhausted',
  'archive.busy': 'conflict',
  'archive.entry_invalid': 'invalid',
  'archive.entry_unsupported': 'unsupported',
  'archive.stalled': 'timeout',
  'archive.failed': 'internal',
})
