import { parseReference } from '#oci/reference'

import type { FileTree } from './file-tree.ts'

/** What a name of `--build-context NAME=…` stands for in FROM, `COPY --from` and `RUN --mount=from`, whatever else has that name. */
export type NamedContext =
  | { readonly kind: 'image'; readonly reference: string }
  | { readonly kind: 'stage'; readonly name: string }
  | { readonly kind: 'tree'; readonly tree: FileTree }

export type NamedContexts = ReadonlyMap<string, NamedContext>

/** A name of a stage or an image as people write it: `alpine`, `alpine:latest` and `docker.io/library/alpine` are one. */
export function findNamedContext(contexts: NamedContexts, name: string): NamedContext | undefined {
  if (contexts.size === 0) return undefined
  const exact = contexts.get(name) ?? contexts.get(name.toLowerCase())
  if (exact !== undefined) return exact
  const wanted = normalized(name)
  if (wanted === undefined) return undefined
  for (const [given, context] of contexts) if (normalized(given) === wanted) return context
  return undefined
}

function normalized(name: string): string | undefined {
  try {
    const { registry, path, tag, digest } = parseReference(name)
    return JSON.stringify([registry, path, digest === null ? (tag ?? 'latest') : '', digest])
  } catch {
    return undefined
  }
}
