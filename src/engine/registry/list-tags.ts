import { isObject, parseStrictJson } from '#oci/image'
import { isTag } from '#oci/reference'

import type { RegistryOptions } from './endpoints.ts'
import { registryError } from './errors.ts'
import { MAX_TAG_LIST_BYTES, MAX_TAGS } from './limits.ts'
import { followRedirect } from './redirect.ts'
import type { Session } from './session.ts'

/** Page by page (distribution-spec, "Content Discovery"); the next page is where `Link` says. */
export async function listTags(
  session: Session,
  scopes: readonly string[],
  path: string,
  options: RegistryOptions,
): Promise<readonly string[]> {
  const what = `tags of ${path}`
  const tags: string[] = []
  let url: URL | undefined = new URL(`/v2/${path}/tags/list`, session.endpoint.origin)
  while (url !== undefined) {
    const answer = await session.send({ method: 'GET', path: url, scopes, expect: [200], what })
    const found = readTags(parseStrictJson(await answer.bytes(MAX_TAG_LIST_BYTES), what), what)
    tags.push(...found)
    if (tags.length > MAX_TAGS)
      throw registryError('registry.answer_too_large', `${what}: more than ${MAX_TAGS}; name the one you want`)
    const next = /^<([^>]*)>;\s*rel="?next"?/.exec(answer.header('link'))?.[1]
    // A page without tags would be followed by others for ever.
    url = next === undefined || found.length === 0 ? undefined : followRedirect(url, next, session.endpoint, options)
  }
  return tags
}

function readTags(value: unknown, what: string): readonly string[] {
  const tags = isObject(value) ? (value['tags'] ?? []) : undefined
  if (Array.isArray(tags) && tags.every((tag) => typeof tag === 'string' && isTag(tag))) return tags
  throw registryError('registry.answer_invalid', `${what}: the answer is no list of tags`)
}
