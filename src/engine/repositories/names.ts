import { parseVerifiableDigest, type VerifiableDigest } from '#oci/digest'
import { isRepositoryPath, isTag, MAX_NAME_CHARACTERS } from '#oci/reference'

import { repositoryError } from './errors.ts'

/** Error: `repository.name_invalid`. */
export function checkName(name: string): string {
  if (name.length <= MAX_NAME_CHARACTERS && isRepositoryPath(name)) return name
  throw repositoryError('repository.name_invalid', `invalid repository name ${JSON.stringify(name.slice(0, 100))}`, {
    hint: 'Write lower-case letters and digits, in parts with slashes between, each with single dots, dashes or underscores inside.',
  })
}

/** Error: `repository.tag_invalid`. */
export function checkTag(tag: string): string {
  if (isTag(tag)) return tag
  throw repositoryError('repository.tag_invalid', `invalid tag ${JSON.stringify(tag.slice(0, 100))}`, {
    hint: 'A tag has up to 128 letters, digits, dots, dashes and underscores, and begins with none of dot and dash.',
  })
}

/** Error: `repository.digest_invalid`. */
export function checkDigest(text: string): VerifiableDigest {
  try {
    return parseVerifiableDigest(text)
  } catch (error) {
    throw repositoryError('repository.digest_invalid', `invalid digest ${JSON.stringify(text.slice(0, 150))}`, { cause: error })
  }
}

/** What stands behind `/manifests/`: a digest has a colon, a tag cannot. */
export function isDigestReference(reference: string): boolean {
  return reference.includes(':')
}
