import { declareErrors } from '#base'

/** Each has its code of the distribution specification ("Error Codes"); the table is with the API. */
export const repositoryError = declareErrors({
  'repository.name_invalid': 'invalid',
  'repository.unknown': 'not_found',
  'repository.tag_invalid': 'invalid',
  'repository.digest_invalid': 'invalid',
  'repository.manifest_unknown': 'not_found',
  'repository.manifest_invalid': 'invalid',
  'repository.manifest_blob_unknown': 'not_found',
  'repository.blob_unknown': 'not_found',
  'repository.blob_in_use': 'conflict',
  'repository.blob_too_large': 'exhausted',
  'repository.manifest_in_use': 'conflict',
  'repository.upload_unknown': 'not_found',
  'repository.upload_busy': 'conflict',
  'repository.upload_invalid': 'invalid',
  'repository.upload_out_of_order': 'invalid',
  'repository.too_many_uploads': 'exhausted',
  'repository.too_many_sign_ins': 'exhausted',
  'repository.rule_invalid': 'invalid',
  'repository.user_invalid': 'invalid',
  'repository.user_unknown': 'not_found',
})
