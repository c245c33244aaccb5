/** Grammar of distribution-spec ("Pulling manifests": name, tag) with the registry part that Docker puts before it. */
export const DEFAULT_REGISTRY = 'docker.io'
/** An older name of the same registry, still written by old clients. */
export const LEGACY_DEFAULT_REGISTRY = 'index.docker.io'
/** Names on the default registry without a slash are its official images. */
export const OFFICIAL_PREFIX = 'library/'
export const DEFAULT_TAG = 'latest'

/** Registries store names in paths; the specification advises clients to keep registry and name within 255 characters. */
export const MAX_NAME_CHARACTERS = 255
const MAX_TAG_CHARACTERS = 128
/** Name, tag, digest and separators: nothing longer is looked at. */
export const MAX_REFERENCE_CHARACTERS = MAX_NAME_CHARACTERS + 1 + MAX_TAG_CHARACTERS + 1 + 'sha512:'.length + 128

const HOST_LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?'
export const REGISTRY = new RegExp(String.raw`^(?:${HOST_LABEL}(?:\.${HOST_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]{1,5})?$`)
/** One `/`-separated part. `.`, `_`, `__` or dashes only between letters and digits, so never `..` and never a hidden file. */
export const PATH_PART = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/
export const TAG = new RegExp(String.raw`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,${MAX_TAG_CHARACTERS - 1}}$`)
/** A repository's path on its registry: distribution-spec, "Pulling manifests", `<name>`. */
export function isRepositoryPath(path: string): boolean {
  return path.split('/').every((part) => PATH_PART.test(part))
}

/** A bare id is not a name: it would shadow the image that it is the id of. */
export const BARE_ID = /^[0-9a-f]{64}$/

/** Whether the first `/`-separated part of a name is the address of a registry. */
export function looksLikeRegistry(first: string): boolean {
  return /[.:[]/.test(first) || first === 'localhost' || first !== first.toLowerCase()
}
