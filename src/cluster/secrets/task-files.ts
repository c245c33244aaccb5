import type { SecretMountSpec, ServiceSpec } from '#cluster/spec'

import type { SecretKind, SecretMounts, SecretVersions, StackSecrets } from './port.ts'

/** What a task is to have as files in memory, without the values: those are asked for when its container is made. */
export interface TaskFiles {
  readonly mounts: SecretMounts
  readonly stack: StackSecrets
  /** Which values, where there are several; absent: the newest. */
  readonly versions?: SecretVersions
}

/** As part of what a node makes a task from; nothing where there are none. A job is made with the newest values, whichever revision it is of. */
export function filesOfTask(
  { secrets, configs, job = null }: Pick<ServiceSpec, 'secrets' | 'configs'> & Partial<Pick<ServiceSpec, 'job'>>,
  { versions, ...stack }: StackSecrets & { readonly versions?: SecretVersions },
): { readonly files?: TaskFiles } {
  if (secrets.length + configs.length === 0) return {}
  const given = job !== null || versions === undefined || Object.keys(versions).length === 0 ? {} : { versions }
  return { files: { mounts: { secrets, configs }, stack: { secrets: stack.secrets, configs: stack.configs }, ...given } }
}

/** What a container was made with, as mounts again: its values were in memory only, and may be gone. */
export function mountsOfFiles(files: readonly (Omit<SecretMountSpec, 'secret'> & { readonly origin?: string })[]): SecretMounts {
  const ofKind = (kind: SecretKind) =>
    files.flatMap(({ origin, target, uid, gid, mode }) =>
      origin?.startsWith(`${kind}/`) === true ? [{ secret: origin.slice(kind.length + 1), target, uid, gid, mode }] : [],
    )
  return { secrets: ofKind('secret'), configs: ofKind('config') }
}

/** The versions that it was made with, as far as they are known. */
export function versionsOfFiles(files: readonly { readonly origin?: string; readonly version?: number }[]): SecretVersions {
  return Object.fromEntries(
    files.flatMap(({ origin, version }) => (origin === undefined || version === undefined ? [] : [[origin, version]])),
  )
}
