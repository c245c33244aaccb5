import type { Digest } from '#base'

import type { CollectableImage, CollectionPolicy, CollectionView } from './port.ts'

/** Images that stay whatever their age and however full the disk is, each with the reason; those that such an image was made on top of stay with it. */
export function keptImages(view: CollectionView, policy: CollectionPolicy): ReadonlyMap<Digest, string> {
  const kept = new Map<Digest, string>()
  const newest = newestOfRepositories(view.images, policy.keepNewest)
  for (const image of view.images) {
    const why = reasonToStay(image, policy, newest)
    if (why !== undefined) kept.set(image.id, why)
  }
  keepParents(view.images, kept)
  return kept
}

function reasonToStay(
  image: CollectableImage,
  policy: CollectionPolicy,
  newest: ReadonlyMap<Digest, string>,
): string | undefined {
  if (image.users.length > 0) return `used by ${image.users.join(', ')}`
  const pattern = policy.protectedNames.find((wanted) => image.names.some((name) => matchesName(wanted, name)))
  if (pattern !== undefined) return `protected by ${pattern}`
  return newest.get(image.id)
}

/** By repository, those that nobody could give back. Untagged ones belong to none. */
function newestOfRepositories(images: readonly CollectableImage[], count: number): ReadonlyMap<Digest, string> {
  const byRepository = new Map<string, CollectableImage[]>()
  for (const image of images) {
    if (image.isReplaceable) continue
    for (const repository of new Set(image.repositories))
      byRepository.set(repository, [...(byRepository.get(repository) ?? []), image])
  }
  const newest = new Map<Digest, string>()
  for (const [repository, members] of byRepository) {
    const byAge = members.toSorted((a, b) => b.createdMs - a.createdMs || (a.id < b.id ? -1 : 1))
    for (const { id } of byAge.slice(0, count)) newest.set(id, `the newest of ${repository}, which no registry has`)
  }
  return newest
}

function keepParents(images: readonly CollectableImage[], kept: Map<Digest, string>): void {
  const byId = new Map(images.map((image) => [image.id, image]))
  for (const id of kept.keys()) {
    const parent = byId.get(id)?.parent ?? null
    // A map that grows while it is walked is walked to its end: parents of parents come later.
    if (parent !== null && byId.has(parent) && !kept.has(parent)) kept.set(parent, `the image ${id.slice(7, 19)} stands on it`)
  }
}

/** `*` is any characters, as in a shell but across slashes. Linear: no pattern can keep it busy. */
export function matchesName(pattern: string, name: string): boolean {
  const [head = '', ...rest] = pattern.split('*')
  const tail = rest.pop()
  if (tail === undefined) return pattern === name
  if (!name.startsWith(head) || name.length < head.length + tail.length || !name.endsWith(tail)) return false
  let at = head.length
  for (const part of rest) {
    const found = name.indexOf(part, at)
    if (found === -1) return false
    at = found + part.length
  }
  return at <= name.length - tail.length
}
