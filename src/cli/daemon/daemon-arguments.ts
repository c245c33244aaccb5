import { choice, list, text } from '../args/flags.ts'
import type { InstancePaths } from './paths.ts'

/** Of the commands that start a daemon: how it is to work, beside where. */
export const daemonFlags = {
  layers: choice(
    ['auto', 'erofs', 'directory'],
    'How layers are kept: mounted in place, or unpacked. Default: what the kernel can do',
  ),
  gc: text(
    'POLICY',
    'Which unused images go by themselves: on, off, or settings such as unused=14d,min-free=5%,protect=debian:*',
  ),
  'registry-mirror': list('ADDRESS', 'Ask this registry first for images of docker.io'),
  'insecure-registry': list('HOST', 'Speak plain HTTP, or TLS with any certificate, to this registry or network'),
} as const

export interface DaemonChoice {
  readonly layers?: 'auto' | 'erofs' | 'directory' | undefined
  readonly gc?: string | undefined
  readonly 'registry-mirror'?: readonly string[]
  readonly 'insecure-registry'?: readonly string[]
}

/** The options of the daemon program, and of `glovebox daemon`, which becomes it. */
export function daemonArguments(
  instance: InstancePaths,
  nameFlag: '--name' | '--instance-name',
  choice: DaemonChoice = {},
): string[] {
  const { layers, gc } = choice
  const repeated = (flag: 'registry-mirror' | 'insecure-registry') =>
    (choice[flag] ?? []).flatMap((value) => [`--${flag}`, value])
  return [
    ...['--root', instance.root, '--run-dir', instance.runDir, '--socket', instance.socketPath, nameFlag, instance.name],
    ...(layers === undefined ? [] : ['--layers', layers]),
    ...(gc === undefined ? [] : ['--gc', gc]),
    ...repeated('registry-mirror'),
    ...repeated('insecure-registry'),
  ]
}
