import { hash } from 'node:crypto'

import type { Digest } from '#base'

import type { SourceSelection } from './select-sources.ts'
import type { CopyAction, RunAction, WorkdirAction } from './steps.ts'

/** Goes up when a step of the same key would give another result. */
const KEY_VERSION = 2

/** Names equal work by what goes into it, and never by what an image says of its own history. */
function keyOf(kind: string, parts: unknown): string {
  return `${kind}-${hash('sha256', JSON.stringify([KEY_VERSION, kind, parts]), 'hex')}`
}

/** `mounts`: what they depend on, see `mountInputs`. */
export function runKey(
  action: RunAction,
  mounts: readonly unknown[],
  layers: readonly Digest[],
  epochS: number | undefined,
  extraHosts: readonly string[] = [],
): string {
  const { args, env, workingDir, user, network, isInsecure } = action
  // Left out where there are none: keys of before stay good.
  const hosts = extraHosts.length === 0 ? {} : { extraHosts }
  return keyOf('run', { layers, args, env: env.toSorted(), workingDir, user, network, isInsecure, mounts, epochS, ...hosts })
}

/** Files of a context as a layer for mounts. */
export function contextLayerKey(content: string, isDirectory: boolean): string {
  return keyOf('context', { content, isDirectory })
}

export function workdirKey(action: WorkdirAction, layers: readonly Digest[], epochS: number | undefined): string {
  return keyOf('workdir', { layers, path: action.path, user: action.user, epochS })
}

/** A linked layer does not depend on what it is laid upon. */
export function copyKey(action: CopyAction, content: string, layers: readonly Digest[], epochS: number | undefined): string {
  const { instruction, inlineFiles, destination, owner, mode, unpacks, isLink } = action
  const below = isLink ? [] : layers
  return keyOf('copy', { layers: below, content, instruction, inlineFiles, destination, owner, mode, unpacks, isLink, epochS })
}

/** What a selection of files from merged layers is: the layers do not change, so that the digest is worth keeping. */
export function selectionKey(layers: readonly Digest[], selection: SourceSelection, keepsOwners: boolean): string {
  const { sources, excludes, keepsParents } = selection
  return keyOf('select', { layers, sources, excludes, keepsParents, keepsOwners })
}

/** What an address held when it was last asked. */
export function remoteKey(url: string): string {
  return keyOf('remote', url)
}

/** An image without its times. */
export function imageContentKey(content: unknown): string {
  return keyOf('image', content)
}
