import type { InstancePaths } from './paths.ts'

/** The options of the daemon program, and of `glovebox daemon`, which becomes it. */
export function daemonArguments(instance: InstancePaths, nameFlag: '--name' | '--instance-name'): string[] {
  return ['--root', instance.root, '--run-dir', instance.runDir, '--socket', instance.socketPath, nameFlag, instance.name]
}
