import type { SecretMountSpec, ServiceSpec } from '#cluster/spec'

import type { SecretKind, SecretMounts, StackSecrets } from './port.ts'

/** What a task is to have as files in memory, without the values: those are asked for when its container is made. */
export interface TaskFiles {
  readonly mounts: SecretMounts
  readonly stack: StackSecrets
}

/** As part of what a node makes a task from; nothing where there are none. */
export function filesOfTask(
  { secrets, configs }: Pick<ServiceSpec, 'secrets' | 'configs'>,
  stack: StackSecrets,
): { readonly files?: TaskFiles } {
  if (secrets.length + configs.length === 0) return {}
  return { files: { mounts: { secrets, configs }, stack: { secrets: stack.secrets, configs: stack.configs } } }
}

/** What a container was made with, as mounts again: its values were in memory only, and may be gone. */
export function mountsOfFiles(files: readonly (Omit<SecretMountSpec, 'secret'> & { readonly origin?: string })[]): SecretMounts {
  const ofKind = (kind: SecretKind) =>
    files.flatMap(({ origin, target, uid, gid, mode }) =>
      origin?.startsWith(`${kind}/`) === true ? [{ secret: origin.slice(kind.length + 1), target, uid, gid, mode }] : [],
    )
  return { secrets: ofKind('secret'), configs: ofKind('config') }
}
