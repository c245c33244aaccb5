import { resolve } from 'node:path'

import { choice, list, text } from '../args/flags.ts'
import { cliError } from '../errors.ts'
import type { InstancePaths } from './paths.ts'

/** Of the commands that start a daemon: how it is to work, beside where. */
export const daemonFlags = {
  config: text('FILE', 'Read these flags from a JSON file (default: /etc/glovebox/daemon.json); SIGHUP reads it again'),
  'log-driver': choice(['json-file', 'local', 'none'], 'How the logs of containers are kept that do not say so'),
  'log-opt': list('NAME=VALUE', 'An option of theirs, such as max-size=10m'),
  label: list('NAME=VALUE', 'What the daemon says of itself to clients'),
  layers: choice(
    ['auto', 'erofs', 'directory'],
    'How layers are kept: mounted in place, or unpacked. Default: what the kernel can do',
  ),
  gc: text(
    'POLICY',
    'Which unused images go by themselves: on, off, or settings such as unused=14d,min-free=5%,protect=debian:*',
  ),
  'userns-remap': text('USER', 'Map the users of containers to ids that this user was given: default, USER or USER:GROUP'),
  'secrets-key-file': text('FILE', 'Encrypt secrets with the key on the first line of this file (default: one of its own)'),
  'registry-mirror': list('ADDRESS', 'Ask this registry first for images of docker.io'),
  'insecure-registry': list('HOST', 'Speak plain HTTP, or TLS with any certificate, to this registry or network'),
  'default-address-pool': list('base=CIDR,size=N', 'Where the subnets of networks come from, in pieces of /N'),
  group: text('GROUP', 'Who may use the socket beside root (default: the group docker, where there is one)'),
  tcp: text('HOST:PORT', 'Listen here as well, for clients that show a certificate'),
  'tls-ca': text('FILE', 'Who signs the certificates of clients (PEM)'),
  'tls-cert': text('FILE', 'The certificate of the daemon (PEM)'),
  'tls-key': text('FILE', 'Its private key (PEM)'),
  registry: text('HOST:PORT', 'Serve the registry here, such as 127.0.0.1:5000; beyond this machine with a certificate'),
  'registry-cert': text('FILE', 'The certificate of the registry (PEM)'),
  'registry-key': text('FILE', 'Its private key (PEM)'),
  'registry-proxy': list('PREFIX=HOST', 'Fetch what is asked for below PREFIX/ from this registry, and keep it'),
  'metrics-listen': text('HOST:PORT', 'Tell metrics here as well, to Prometheus, without a password: such as 127.0.0.1:9323'),
  'metrics-history': text('SIZE', 'Keep so much of what was measured: a size, or off (default 256m)'),
  'metrics-remote-write': text('URL', 'Send metrics to a Prometheus that takes them, at .../api/v1/write'),
  'metrics-remote-write-token-file': text('FILE', 'With the bearer token on the first line of this file'),
  'dashboard-listen': text(
    'HOST:PORT',
    'Serve the dashboard here, such as 127.0.0.1:7070; beyond this machine with a certificate',
  ),
  'dashboard-cert': text('FILE', 'The certificate of the dashboard (PEM)'),
  'dashboard-key': text('FILE', 'Its private key (PEM)'),
  'build-parallel': text('N', 'So many commands of builds at a time (default: as many as processors)'),
  'build-cpu-shares': text('N', 'Weight of a command of a build, where a container has 1024 (default 256)'),
  'build-memory': text('BYTES', 'Memory of a command of a build (default: three quarters of the machine)'),
  'build-pids': text('N', 'Processes of a command of a build (default 10000)'),
} as const

export interface DaemonChoice {
  readonly config?: string | undefined
  readonly 'log-driver'?: 'json-file' | 'local' | 'none' | undefined
  readonly 'log-opt'?: readonly string[]
  readonly label?: readonly string[]
  readonly layers?: 'auto' | 'erofs' | 'directory' | undefined
  readonly gc?: string | undefined
  readonly 'userns-remap'?: string | undefined
  readonly 'secrets-key-file'?: string | undefined
  readonly 'registry-mirror'?: readonly string[]
  readonly 'insecure-registry'?: readonly string[]
  readonly 'default-address-pool'?: readonly string[]
  readonly group?: string | undefined
  readonly tcp?: string | undefined
  readonly 'tls-ca'?: string | undefined
  readonly 'tls-cert'?: string | undefined
  readonly 'tls-key'?: string | undefined
  readonly registry?: string | undefined
  readonly 'registry-cert'?: string | undefined
  readonly 'registry-key'?: string | undefined
  readonly 'registry-proxy'?: readonly string[]
  readonly 'metrics-listen'?: string | undefined
  readonly 'metrics-history'?: string | undefined
  readonly 'metrics-remote-write'?: string | undefined
  readonly 'metrics-remote-write-token-file'?: string | undefined
  readonly 'dashboard-listen'?: string | undefined
  readonly 'dashboard-cert'?: string | undefined
  readonly 'dashboard-key'?: string | undefined
  readonly 'build-parallel'?: string | undefined
  readonly 'build-cpu-shares'?: string | undefined
  readonly 'build-memory'?: string | undefined
  readonly 'build-pids'?: string | undefined
}

const BUILDS = ['build-parallel', 'build-cpu-shares', 'build-memory', 'build-pids'] as const
const METRICS = ['metrics-listen', 'metrics-history', 'metrics-remote-write'] as const
const FILES = ['tls-ca', 'tls-cert', 'tls-key'] as const

/** The options of the daemon program, and of `glovebox daemon`, which becomes it. Error: `cli.usage`, before anything was begun. */
export function daemonArguments(
  instance: InstancePaths,
  nameFlag: '--name' | '--instance-name',
  choice: DaemonChoice = {},
): string[] {
  const { layers, gc } = choice
  const missing = FILES.filter((flag) => choice[flag] === undefined)
  if (choice.tcp !== undefined && missing.length > 0)
    throw cliError('cli.usage', `--tcp ${choice.tcp}: ${missing.map((flag) => `--${flag}`).join(' and ')} missing`, {
      hint: 'Whoever can connect has the whole host, so clients must show a certificate: `glovebox daemon certificates DIR`.',
    })
  const repeated = (
    flag: 'label' | 'log-opt' | 'registry-mirror' | 'insecure-registry' | 'default-address-pool' | 'registry-proxy',
  ) => (choice[flag] ?? []).flatMap((value) => [`--${flag}`, value])
  return [
    ...['--root', instance.root, '--run-dir', instance.runDir, '--socket', instance.socketPath, nameFlag, instance.name],
    ...(layers === undefined ? [] : ['--layers', layers]),
    ...(gc === undefined ? [] : ['--gc', gc]),
    ...repeated('label'),
    ...repeated('log-opt'),
    ...(choice['userns-remap'] === undefined ? [] : ['--userns-remap', choice['userns-remap']]),
    ...repeated('registry-mirror'),
    ...repeated('insecure-registry'),
    ...repeated('default-address-pool'),
    ...repeated('registry-proxy'),
    ...([...(['group', 'log-driver', 'tcp', 'registry', 'dashboard-listen'] as const), ...BUILDS, ...METRICS] as const).flatMap(
      (flag) => (choice[flag] === undefined ? [] : [`--${flag}`, choice[flag]]),
    ),
    // The daemon runs in another directory.
    ...(
      [
        ...(['config', ...FILES, 'registry-cert', 'registry-key', 'dashboard-cert', 'dashboard-key'] as const),
        'secrets-key-file',
        'metrics-remote-write-token-file',
      ] as const
    ).flatMap((flag) => (choice[flag] === undefined ? [] : [`--${flag}`, resolve(choice[flag])])),
  ]
}
