import { choice } from '../args/flags.ts'
import type { InstancePaths } from './paths.ts'

/** Of the commands that start a daemon: how it is to work, beside where. */
export const daemonFlags = {
  layers: choice(
    ['auto', 'erofs', 'directory'],
    'How layers are kept: mounted in place, or unpacked. Default: what the kernel can do',
  ),
} as const

export interface DaemonChoice {
  readonly layers?: 'auto' | 'erofs' | 'directory' | undefined
}

/** The options of the daemon program, and of `glovebox daemon`, which becomes it. */
export function daemonArguments(
  instance: InstancePaths,
  nameFlag: '--name' | '--instance-name',
  { layers }: DaemonChoice = {},
): string[] {
  const place = ['--root', instance.root, '--run-dir', instance.runDir, '--socket', instance.socketPath, nameFlag, instance.name]
  return layers === undefined ? place : [...place, '--layers', layers]
}
