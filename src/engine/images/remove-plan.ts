import { shortId, type Digest } from '#base'
import { familiarText, parseReference } from '#oci/reference'

import { imageError } from './errors.ts'
import type { Resolved } from './resolve.ts'
import type { ImageUser } from './snapshots-port.ts'

/** What the plan looks at. Names are canonical. */
export interface RemoveView {
  readonly images: ReadonlyMap<Digest, { readonly parent: Digest | null; readonly isDetached: boolean }>
  readonly names: ReadonlyMap<string, Digest>
  usersOf(id: Digest): readonly ImageUser[]
}

export type RemoveStep =
  | { readonly type: 'untag'; readonly id: Digest; readonly name: string }
  | { readonly type: 'delete'; readonly id: Digest }
  /** Out of all lists, but kept for the stopped containers that need its layers. */
  | { readonly type: 'detach'; readonly id: Digest }

export interface RemoveOptions {
  readonly force: boolean
  readonly noPrune: boolean
}

/**
 * What removing means, by the rules of Docker: a name goes alone while others are left; the last name takes the image along, unless a
 * container or a child image needs it. Errors: `image.in_use`, `image.conflict`; then nothing is to be done.
 */
export function planRemove(view: RemoveView, target: Resolved, ref: string, options: RemoveOptions): readonly RemoveStep[] {
  const draft = draftOf(view)
  const { id } = target
  if (target.by === 'id') {
    if (isOneRepository(draft.namesOf(id))) {
      const conflict = conflictOf(draft, id, options.force, true)
      if (conflict !== undefined) throw conflict
      for (const name of draft.namesOf(id)) draft.untag(id, name)
    }
    removeImage(draft, id, { ...options, isImplied: false })
    return draft.steps
  }
  const user = view.usersOf(id)[0]
  if (!options.force && user !== undefined && isOneRepository(draft.namesOf(id)))
    throw imageError(
      'image.in_use',
      `conflict: unable to remove repository reference ${JSON.stringify(ref)} (must force) - container ${user.name} is using its referenced image ${shortId(id)}`,
      { hint: 'Remove the container first, or use force to take only the name away.' },
    )
  draft.untag(id, target.name)
  dropStrayDigests(draft, id, target.name)
  if (draft.namesOf(id).length === 0) removeImage(draft, id, { ...options, isImplied: true })
  return draft.steps
}

/** Images that nobody needs: untagged ones, or all that no container uses. Never a conflict. */
export function planPrune(
  view: RemoveView,
  options: { readonly danglingOnly: boolean; keep?: (id: Digest) => boolean },
): readonly RemoveStep[] {
  const draft = draftOf(view)
  for (const [id, image] of view.images) {
    if (image.isDetached || !draft.has(id) || options.keep?.(id) === true) continue
    const names = draft.namesOf(id)
    if ((options.danglingOnly && names.length > 0) || conflictOf(draft, id, false, true) !== undefined) continue
    for (const name of names) draft.untag(id, name)
    removeImage(draft, id, { force: false, noPrune: false, isImplied: true })
  }
  return draft.steps
}

/** Detached images whose last container is gone. */
export function planSweep(view: RemoveView): readonly RemoveStep[] {
  return [...view.images].flatMap(([id, image]) =>
    image.isDetached && view.usersOf(id).length === 0 ? [{ type: 'delete' as const, id }] : [],
  )
}

/** The state as it will be after the steps so far. */
interface Draft {
  readonly view: RemoveView
  readonly steps: RemoveStep[]
  has(id: Digest): boolean
  namesOf(id: Digest): readonly string[]
  childrenOf(id: Digest): readonly Digest[]
  untag(id: Digest, name: string): void
  remove(id: Digest): void
}

function draftOf(view: RemoveView): Draft {
  const names = new Map(view.names)
  const gone = new Set<Digest>()
  const steps: RemoveStep[] = []
  return {
    view,
    steps,
    has: (id) => view.images.has(id) && !gone.has(id),
    namesOf: (id) => [...names].flatMap(([name, target]) => (target === id ? [name] : [])).toSorted(),
    childrenOf: (id) =>
      [...view.images].flatMap(([child, image]) => (image.parent === id && !gone.has(child) && !image.isDetached ? [child] : [])),
    untag: (id, name) => {
      names.delete(name)
      steps.push({ type: 'untag', id, name })
    },
    remove: (id) => {
      gone.add(id)
      steps.push({ type: view.usersOf(id).length > 0 ? 'detach' : 'delete', id })
    },
  }
}

/** `isImplied`: the caller asked for something else of which this is a consequence, so a conflict just leaves the image. */
function removeImage(draft: Draft, id: Digest, options: RemoveOptions & { readonly isImplied: boolean }): void {
  const conflict = conflictOf(draft, id, options.force, options.isImplied)
  if (conflict !== undefined) {
    const isDangling = draft.namesOf(id).length === 0 && draft.childrenOf(id).length === 0
    if (options.isImplied && (!isDangling || conflict.code === 'image.in_use')) return
    throw conflict
  }
  for (const name of draft.namesOf(id)) draft.untag(id, name)
  draft.remove(id)
  const parent = draft.view.images.get(id)?.parent ?? null
  if (options.noPrune || parent === null || !draft.has(parent)) return
  // A parent that has a name of its own stays: only what nobody can call any more goes along.
  if (draft.namesOf(parent).length === 0) removeImage(draft, parent, { force: false, noPrune: false, isImplied: true })
}

function conflictOf(draft: Draft, id: Digest, isForced: boolean, isAnyNameFine: boolean) {
  const users = draft.view.usersOf(id)
  const running = users.find((user) => user.isRunning)
  const cannot = `conflict: unable to delete ${shortId(id)} (cannot be forced)`
  const must = `conflict: unable to delete ${shortId(id)} (must be forced)`
  if (draft.childrenOf(id).length > 0) return imageError('image.conflict', `${cannot} - image has dependent child images`)
  if (running !== undefined)
    return imageError('image.in_use', `${cannot} - image is being used by running container ${running.name}`, {
      hint: 'Stop and remove the container first.',
    })
  if (isForced) return undefined
  if (!isAnyNameFine && draft.namesOf(id).length > 1)
    return imageError('image.conflict', `${must} - image is referenced in multiple repositories`)
  const stopped = users[0]
  if (stopped !== undefined)
    return imageError('image.in_use', `${must} - image is being used by stopped container ${stopped.name}`, {
      hint: 'Remove the container first.',
    })
  return undefined
}

/** At most one tag, and digests only of the same repository. */
function isOneRepository(names: readonly string[]): boolean {
  const references = names.map(parseReference)
  const repositories = new Set(references.map(({ registry, path }) => `${registry}/${path}`))
  return repositories.size <= 1 && references.filter((reference) => reference.digest === null).length <= 1
}

/** The digests of a repository go with its last tag. */
function dropStrayDigests(draft: Draft, id: Digest, removed: string): void {
  const { registry, path, digest } = parseReference(removed)
  if (digest !== null) return
  const left = draft.namesOf(id).filter((name) => {
    const other = parseReference(name)
    return other.registry === registry && other.path === path
  })
  if (left.some((name) => parseReference(name).digest === null)) return
  for (const name of left) draft.untag(id, name)
}

/** How a name is shown. */
export function shownName(name: string): string {
  return familiarText(parseReference(name))
}
