import type { ServiceSpec } from '#cluster/spec'

import type { SecretMounts, StackSecrets } from './port.ts'

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
