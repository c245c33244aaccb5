import { bytes, isSet, list } from '../args/flags.ts'
import { command } from '../command.ts'
import { filterQuery } from '../list-format.ts'
import { confirm } from '../prune/confirm.ts'
import { pruneCommand } from '../prune/prune-command.ts'
import { prunedText, reclaimedText } from '../prune/prune-text.ts'

export const containerPrune = pruneCommand({
  name: 'container prune',
  summary: 'Remove all containers that do not run.',
  examples: [['container prune --filter until=24h', 'those made before yesterday']],
  flags: {},
  warning: () => 'This will remove all stopped containers.',
  prune: (client, filters) => client.containers.prune(filters),
  saysSpace: true,
})

export const imagePrune = pruneCommand({
  name: 'image prune',
  summary: 'Remove images that have no name, or with --all those that no container uses.',
  examples: [
    ['image prune', 'what builds and pulls left without a name'],
    ['image prune -af', 'everything unused, without asking'],
  ],
  flags: { all: isSet('All that no container uses', 'a') },
  warning: (flags) =>
    flags.all
      ? 'This will remove all images without at least one container associated to them.'
      : 'This will remove all dangling images.',
  filters: (flags) => [`dangling=${flags.all ? 'false' : 'true'}`],
  prune: (client, filters) => client.images.prune(filters),
  saysSpace: true,
})

export const networkPrune = pruneCommand({
  name: 'network prune',
  summary: 'Remove networks that no container uses.',
  examples: [['network prune -f', 'without asking']],
  flags: {},
  warning: () => 'This will remove all custom networks not used by at least one container.',
  prune: (client, filters) => client.networks.prune(filters),
  saysSpace: false,
})

export const volumePrune = pruneCommand({
  name: 'volume prune',
  summary: 'Remove volumes that no container uses: those without a name of their own, or with --all every one.',
  examples: [['volume prune --filter label!=keep', 'except those that are labelled so']],
  flags: { all: isSet('Those with a name as well', 'a') },
  warning: (flags) =>
    flags.all
      ? 'This will remove all local volumes not used by at least one container.'
      : 'This will remove anonymous local volumes not used by at least one container.',
  filters: (flags) => (flags.all ? ['all=true'] : []),
  prune: (client, filters) => client.volumes.prune(filters),
  saysSpace: true,
})

export const builderPrune = pruneCommand({
  name: 'builder prune',
  summary: 'Remove results of builds that no image needs.',
  examples: [
    ['builder prune -af', 'all of them, without asking'],
    ['builder prune --filter until=48h --keep-storage 5g', 'what nobody used for two days, until 5 GiB are left'],
    ['builder prune --filter type=exec.cachemount', 'directories of cache mounts'],
  ],
  filterHelp: 'Only those that match: until, unused-for, id, type, description, inuse, shared, private',
  flags: {
    all: isSet('Those of the last builds as well', 'a'),
    'keep-storage': bytes('Leave this much'),
    'max-used-space': bytes('The same'),
    'reserved-space': bytes('The same'),
  },
  warning: (flags) => (flags.all ? 'This will remove all build cache.' : 'This will remove all dangling build cache.'),
  prune: (client, filters, flags) => client.system.pruneBuilds({ all: flags.all || undefined, filters, ...spaces(flags) }),
  saysSpace: true,
})

/** Several names for what may stay; the daemon takes the smallest. */
function spaces(flags: Readonly<Record<'keep-storage' | 'max-used-space' | 'reserved-space', number | undefined>>) {
  const names = ['keep-storage', 'max-used-space', 'reserved-space'] as const
  const given = names.flatMap((name) => flags[name] ?? [])
  return given.length === 0 ? {} : { 'keep-storage': Math.min(...given) }
}

export const systemPrune = command({
  name: 'system prune',
  usage: '[FLAGS]',
  summary: 'Remove what nothing uses: stopped containers, networks, nameless images, results of builds.',
  examples: [
    ['system prune', 'what can be made again'],
    ['system prune -af --volumes', 'everything unused, and the data in nameless volumes'],
  ],
  flags: {
    all: isSet('All images that no container uses, and all results of builds', 'a'),
    volumes: isSet('Nameless volumes as well'),
    filter: list('NAME=VALUE', 'Only those that match: until, label; results of builds then stay'),
    force: isSet('Do not ask', 'f'),
  },
  operands: { min: 0, max: 0 },
  run: async ({ flags }, context) => {
    if (!flags.force && !(await confirm(systemWarning(flags), context))) return 0
    const { containers, networks, volumes, images, system } = await context.client()
    const filters = filterQuery(flags.filter)
    const imageFilters = filterQuery([...flags.filter, `dangling=${flags.all ? 'false' : 'true'}`])
    // Containers first: what they used is unused then.
    const steps = [
      () => containers.prune(filters),
      () => networks.prune(filters),
      ...(flags.volumes ? [() => volumes.prune(filters)] : []),
      () => images.prune(imageFilters),
      // Results of builds have neither labels nor names to be chosen by.
      ...(filters === undefined ? [() => system.pruneBuilds({ all: flags.all || undefined })] : []),
    ]
    let reclaimed = 0
    for (const step of steps) {
      const pruned = await step()
      reclaimed += pruned.SpaceReclaimed ?? 0
      context.terminal.stdout.write(prunedText(pruned))
    }
    context.terminal.stdout.write(reclaimedText(reclaimed))
    return 0
  },
})

function systemWarning(flags: { readonly all: boolean; readonly volumes: boolean; readonly filter: readonly string[] }): string {
  const kinds = [
    'all stopped containers',
    'all networks not used by at least one container',
    ...(flags.volumes ? ['all anonymous volumes not used by at least one container'] : []),
    flags.all ? 'all images without at least one container associated to them' : 'all dangling images',
    ...(flags.filter.length > 0 ? [] : [flags.all ? 'all build cache' : 'unused build cache']),
  ]
  const only =
    flags.filter.length === 0
      ? ''
      : `\n\n  Items to be pruned will be filtered with:\n${flags.filter.map((one) => `  - ${one}\n`).join('')}`
  return `This will remove:\n${kinds.map((kind) => `  - ${kind}\n`).join('')}${only}`
}
