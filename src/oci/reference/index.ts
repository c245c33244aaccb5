/**
 * Names of images, as the Docker command line reads them: `debian` means `docker.io/library/debian`, a first part with a dot, a port or
 * `localhost` is a registry. Strict and bounded; a parsed name is safe as a path or address.
 */
export { referenceError } from './errors.ts'
export { DEFAULT_REGISTRY, DEFAULT_TAG, isRepositoryPath, MAX_NAME_CHARACTERS } from './grammar.ts'
export { canonicalName, canonicalText, familiarName, familiarText, withDefaultTag } from './format.ts'
export { isTag, parseReference, type ImageReference } from './parse.ts'
