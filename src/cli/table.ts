import type { TableEntry } from './command.ts'
import { containerEntries } from './table/containers.ts'
import { dashboardEntries } from './table/dashboard.ts'
import { entry } from './table/entry.ts'
import { environmentEntries } from './table/environments.ts'
import { imageEntries } from './table/images.ts'
import { registryEntries } from './table/registry.ts'
import { jobEntries } from './table/jobs.ts'
import { networkEntries } from './table/networks.ts'
import { policyEntries } from './table/policy.ts'
import { routeEntries } from './table/routes.ts'
import { secretEntries } from './table/secrets.ts'
import { serviceEntries } from './table/services.ts'

/** Every command: its words, its one line in the overview, and where it is. */
export const commandTable: readonly TableEntry[] = [
  entry(
    'Applications',
    'up',
    'Build and start an application from its Compose file',
    async () => (await import('./commands/up.ts')).up,
  ),
  entry(
    'Applications',
    'dev',
    'Keep an application running from a working tree',
    async () => (await import('./commands/dev.ts')).dev,
  ),
  entry(
    'Applications',
    'diff',
    'Show what up would change; or what a container changed in its files',
    async () => (await import('./commands/diff.ts')).diff,
  ),
  entry('Applications', 'down', 'Stop and remove an application', async () => (await import('./commands/down.ts')).down),
  entry(
    'Applications',
    'status',
    'Show what an application is doing, and why it is not ready',
    async () => (await import('./commands/status.ts')).status,
  ),
  entry(
    'Applications',
    'compose config',
    'Check Compose files and print what they say together',
    async () => (await import('./commands/compose-config.ts')).composeConfig,
  ),

  ...environmentEntries,
  ...jobEntries,
  ...serviceEntries,
  ...containerEntries,
  ...imageEntries,
  ...registryEntries,
  ...networkEntries,
  ...policyEntries,
  ...routeEntries,
  ...secretEntries,
  ...dashboardEntries,

  entry(
    'Understanding',
    'why',
    'Say what is not as wanted, why, and what to do',
    async () => (await import('./commands/why.ts')).why,
  ),
  entry(
    'Understanding',
    'anatomy',
    'Take a container apart on one page',
    async () => (await import('./commands/anatomy.ts')).anatomy,
  ),
  entry(
    'Understanding',
    'metrics',
    'Show what services, containers and routes used, and how it came',
    async () => (await import('./commands/metrics.ts')).metrics,
  ),
  entry(
    'Understanding',
    'metrics targets',
    'Show which containers are asked for metrics of their own',
    async () => (await import('./commands/metrics-targets.ts')).metricsTargets,
  ),
  entry(
    'Understanding',
    'inspect',
    'Everything the daemon knows of containers or images, as JSON',
    async () => (await import('./commands/inspect.ts')).inspect,
  ),
  entry('Understanding', 'events', 'Follow what happens', async () => (await import('./commands/events.ts')).events, [
    'system events',
  ]),
  entry('Understanding', 'doctor', 'Examine this host', async () => (await import('./commands/doctor.ts')).doctor),

  entry('The daemon', 'daemon', 'Run the daemon in the foreground', async () => (await import('./commands/daemon.ts')).daemon),
  entry(
    'The daemon',
    'daemon start',
    'Start the daemon in the background',
    async () => (await import('./commands/daemon-start.ts')).daemonStart,
  ),
  entry(
    'The daemon',
    'daemon stop',
    'Stop the daemon and every container it runs',
    async () => (await import('./commands/daemon-stop.ts')).daemonStop,
  ),
  entry(
    'The daemon',
    'daemon certificates',
    'Make certificates for a daemon that listens on TCP',
    async () => (await import('./commands/daemon-certificates.ts')).daemonCertificates,
  ),
  entry(
    'The daemon',
    'daemon status',
    'Say whether the daemon runs',
    async () => (await import('./commands/daemon-status.ts')).daemonStatus,
  ),
  entry(
    'The daemon',
    'system gc',
    'Show which unused images go by themselves, what went and why',
    async () => (await import('./commands/system-gc.ts')).systemGc,
  ),
  entry(
    'The daemon',
    'system df',
    'Show how much the images, containers and volumes take',
    async () => (await import('./commands/system-df.ts')).systemDf,
  ),
  entry('The daemon', 'system prune', 'Remove what nothing uses', async () => (await import('./commands/prune.ts')).systemPrune),
  entry('The daemon', 'info', 'What the daemon and its host are', async () => (await import('./commands/system-facts.ts')).info, [
    'system info',
  ]),
  entry('The daemon', 'version', 'Versions of client and daemon', async () => (await import('./commands/version.ts')).version),
  entry(
    'The daemon',
    'completion',
    'Completion script for bash, zsh or fish',
    async () => (await import('./commands/completion.ts')).completion,
  ),
]

/** Answers to scripts and to other machines, not to people: no help shows them. */
export const hiddenCommands: readonly TableEntry[] = [
  entry(
    'The daemon',
    '__complete',
    'Words that a shell may complete',
    async () => (await import('./commands/complete.ts')).complete,
  ),
  entry(
    'The daemon',
    'system dial-stdio',
    'Carry the standard streams to the daemon',
    async () => (await import('./commands/dial-stdio.ts')).dialStdio,
  ),
]

const SWARM = 'Use docker itself with the socket of this daemon; `glovebox up` keeps the services of a Compose file running.'
const ONE_BUILDER = 'There is one builder: `glovebox build`.'

/** What the docker CLI has and this one does not, and what to do instead. */
export const REFUSED: Readonly<Record<string, string>> = {
  search: 'Registries are not searched: look on their sites, then `glovebox pull NAME`.',
  ...Object.fromEntries(['swarm', 'stack', 'service create'].map((name) => [name, SWARM])),
  'service update': 'Use `glovebox deploy SERVICE`.',
  'service logs': 'Use `glovebox logs` with the container of a task: `glovebox service ps` names them.',
  'node rm': 'There is one node, and it is this one.',
  ...Object.fromEntries(
    ['node promote', 'node demote', 'node ps'].map((name) => [name, 'See `glovebox node inspect` and `glovebox service ps`.']),
  ),
  ...Object.fromEntries(['buildx', 'buildkit'].map((name) => [name, ONE_BUILDER])),
  plugin: 'There are no plugins.',
  context: 'There are no contexts: name a daemon with --host or $GLOVEBOX_HOST.',
  trust: 'Images are not signed: pull by digest to pin what you run.',
  manifest: 'Lists of images for several platforms are read and not written.',
  checkpoint: 'The state of processes cannot be saved.',
  'volume update': 'Only volumes of a cluster can be changed, and there are none.',
  compose: '`glovebox up`, `down` and `status` read Compose files.',
}
