import type { Digest } from '#base'

/** How much of a disk: a share of it, a number of bytes, or whichever of both is less. */
export interface DiskShare {
  /** 0 to 100; null: only the bytes count. */
  readonly percent: number | null
  /** null: only the share counts. */
  readonly bytes: number | null
}

/** What may go, and when. */
export interface CollectionPolicy {
  readonly isOn: boolean
  /** Images with a name that nobody used for this long go. null: never for their age. */
  readonly unusedMs: number | null
  /** The same for images without a name. */
  readonly untaggedMs: number | null
  /** The same for results of build steps. */
  readonly cacheMs: number | null
  /** Less free disk than this: the longest unused go, whatever their age, until `targetFree` is free. */
  readonly minFree: DiskShare
  readonly targetFree: DiskShare
  /** So many of the newest images of a repository stay if no registry could give them back. */
  readonly keepNewest: number
  /** Names that stay, `*` standing for any characters: `debian:*`. */
  readonly protectedNames: readonly string[]
}

/** An image as the plan sees it. */
export interface CollectableImage {
  readonly id: Digest
  /** Familiar names with tags; empty: untagged. */
  readonly names: readonly string[]
  /** Names without their tags. */
  readonly repositories: readonly string[]
  /** A registry or this program itself can give it back. */
  readonly isReplaceable: boolean
  readonly parent: Digest | null
  readonly layers: readonly { readonly diffId: Digest; readonly sizeBytes: number }[]
  readonly createdMs: number
  readonly lastUsedMs: number
  /** Who refers to it, in words: `container web`, `stack guestbook`, `a running build`. */
  readonly users: readonly string[]
}

/** The result of a build step, the directory of a cache mount, or the files of a context; the latter two have a name of their own as their layer. */
export interface CollectableCache {
  readonly key: string
  readonly description: string
  readonly layer: { readonly diffId: Digest; readonly sizeBytes: number } | null
  readonly lastUsedMs: number
  readonly isInUse: boolean
}

export interface DiskSpace {
  readonly totalBytes: number
  readonly availableBytes: number
}

export interface CollectionView {
  readonly nowMs: number
  readonly disk: DiskSpace
  /** A write has just failed for want of space: the disk rule holds whatever the figures say. */
  readonly isDiskFull: boolean
  readonly images: readonly CollectableImage[]
  readonly caches: readonly CollectableCache[]
}

export type RemovalReason =
  | { readonly kind: 'unused'; readonly idleMs: number; readonly limitMs: number }
  | { readonly kind: 'untagged'; readonly idleMs: number; readonly limitMs: number }
  | { readonly kind: 'cache'; readonly idleMs: number; readonly limitMs: number }
  | { readonly kind: 'disk'; readonly idleMs: number; readonly availableBytes: number; readonly minFreeBytes: number }

export interface Removal {
  readonly kind: 'image' | 'cache'
  /** Digest of the image, key of the cache record. */
  readonly id: string
  /** For people: tags, or the instruction. */
  readonly names: readonly string[]
  /** What this one frees after those before it. */
  readonly freedBytes: number
  readonly reason: RemovalReason
}

export interface Kept {
  readonly id: Digest
  readonly names: readonly string[]
  readonly why: string
}

export interface CollectionPlan {
  /** In this order: what stands on another goes before it. */
  readonly removals: readonly Removal[]
  /** Images that stay, and why. */
  readonly kept: readonly Kept[]
  readonly freedBytes: number
}

export type CollectionTrigger = 'schedule' | 'disk' | 'disk full' | 'request'

export interface RemovedItem {
  readonly kind: 'image' | 'cache' | 'directory'
  readonly id: string
  readonly names: readonly string[]
  readonly bytes: number
  readonly why: string
}

/** One pass, as it is written down and shown. */
export interface CollectionRun {
  /** RFC 3339 */
  readonly startedAt: string
  readonly trigger: CollectionTrigger
  readonly isDryRun: boolean
  readonly removed: readonly RemovedItem[]
  /** With the leftovers that nothing named. In a dry run: what is expected. */
  readonly freedBytes: number
  readonly availableBytes: number
  readonly totalBytes: number
  /** Why it did not do all it meant to; empty: it did. */
  readonly failures: readonly string[]
}

export interface CollectionReport {
  readonly policy: CollectionPolicy
  /** The policy in words. */
  readonly policyText: string
  readonly disk: DiskSpace
  readonly minFreeBytes: number
  readonly targetFreeBytes: number
  /** RFC 3339; null: none is due, collection is off. */
  readonly nextPassAt: string | null
  readonly lastPassAt: string | null
  /** Those that removed something or failed, newest first. */
  readonly runs: readonly CollectionRun[]
}

/** Garbage collection of images and build results. */
export interface Collection extends AsyncDisposable {
  /** Starts the timers: first pass some minutes later. Stops them when the policy is off. Called again after the policy has changed. */
  start(): void
  report(): CollectionReport
  /** What a pass would remove now, and why the others stay. */
  preview(): { readonly run: CollectionRun; readonly kept: readonly Kept[] }
  /** One pass now, also when the policy's timers are off. */
  collect(trigger: CollectionTrigger): Promise<CollectionRun>
  /** A write failed for want of space: a pass follows at once. */
  noteDiskFull(): void
}
