import type { MoveView, NodeView } from '#api/glovebox'

import { alsoCalled, choice, isSet, list, refused } from '../args/flags.ts'
import { command } from '../command.ts'
import type { CliContext } from '../command.ts'
import { inspectEach } from '../commands/inspect-each.ts'
import { cliError } from '../errors.ts'
import { formatFlag, printList } from '../list-format.ts'
import { printListing, type Listing } from '../listing/listing.ts'
import { objectFormatFlag } from '../listing/object-format.ts'
import { printable } from '../output/colour.ts'
import { binaryBytes, counted } from '../output/units.ts'
import { filtered, hasLabel, type FilterFields } from './row-filters.ts'

const NANOS = 1e9

const NODE_FILTERS: FilterFields<NodeView> = {
  name: ({ hostname }, value) => hostname.startsWith(value),
  id: ({ id }, value) => id.startsWith(value),
  role: ({ role }, value) => role === value,
  label: ({ engineLabels }, value) => hasLabel(engineLabels, value),
  'node.label': ({ labels }, value) => hasLabel(labels, value),
}

export const nodeLs = command({
  name: 'node ls',
  usage: '[FLAGS]',
  summary: 'List the machines that run tasks.',
  examples: [['node ls', 'all of them']],
  flags: {
    filter: list('NAME=VALUE', 'Only those that match', 'f'),
    format: formatFlag,
    quiet: isSet('Ids only', 'q'),
  },
  operands: { min: 0, max: 0 },
  run: async ({ flags }, context) => {
    const nodes = filtered(await (await context.client()).nodes.list(), flags.filter, NODE_FILTERS)
    if (flags.quiet) for (const { id } of nodes) context.terminal.stdout.write(`${id}\n`)
    else printListing(nodeListing(nodes), flags.format, context)
    return 0
  },
})

/** Under docker's names for fields, and ours beside. */
function nodeListing(nodes: readonly NodeView[]): Listing {
  return {
    headings: {
      ID: 'ID',
      Hostname: 'HOSTNAME',
      Status: 'STATE',
      Availability: 'AVAILABILITY',
      ManagerStatus: 'ROLE',
      Tasks: 'TASKS',
      Resources: 'CPUS AND MEMORY',
      Address: 'ADDRESS',
      Labels: 'LABELS',
      EngineVersion: 'VERSION',
    },
    table: ['ID', 'Hostname', 'Status', 'Availability', 'ManagerStatus', 'Tasks', 'Resources', 'Labels', 'EngineVersion'],
    rows: nodes.map((node) => ({
      ID: node.id,
      Hostname: printable(node.hostname),
      Status: node.state,
      Availability: node.availability,
      ManagerStatus: node.role,
      Tasks: String(node.tasks),
      Resources: `${node.nanoCpus / NANOS} CPUs, ${binaryBytes(node.memoryBytes)}`,
      Address: node.address,
      Labels: Object.entries(node.labels)
        .map(([name, value]) => printable(`${name}=${value}`))
        .join(','),
      EngineVersion: node.engineVersion,
    })),
  }
}

export const nodeInspect = command({
  name: 'node inspect',
  usage: '[FLAGS] NODE...',
  summary: 'Everything that is known of nodes and the tasks on them, as JSON.',
  examples: [["node inspect -f '{{.node.availability}}' host1", 'one field']],
  flags: { format: objectFormatFlag, pretty: refused('`glovebox node ls` is for people', false) },
  operands: { min: 1, max: Infinity },
  completes: ['node'],
  run: async ({ flags, operands }, context) => {
    const { nodes } = await context.client()
    return await inspectEach(operands, flags.format, context, async (ref) => await nodes.get(ref))
  },
})

export const nodeUpdate = command({
  name: 'node update',
  usage: '[FLAGS] NODE',
  summary: 'Change the labels of a node, and whether it gets tasks.',
  description:
    'Services place tasks by labels (`node.labels.NAME` in a constraint). `pause`: no new tasks. `drain`: those that it has go elsewhere as well.',
  examples: [
    ['node update --label zone=a --label-rm old host1', 'labels'],
    ['node update --availability active host1', 'after it was drained'],
  ],
  flags: {
    label: alsoCalled(list('NAME=VALUE', 'Set a label'), 'label-add'),
    'label-rm': list('NAME', 'Take a label away'),
    availability: choice(['active', 'pause', 'drain'], 'Whether it gets tasks'),
    role: refused('the one node is the manager'),
  },
  operands: { min: 1, max: 1 },
  completes: ['node'],
  run: async ({ flags, operands: [ref = ''] }, context) => {
    const { availability } = flags
    const labels = Object.fromEntries([...flags['label-rm'].map((name) => [name, null] as const), ...flags.label.map(readLabel)])
    if (availability === undefined && Object.keys(labels).length === 0)
      throw cliError('cli.usage', 'glovebox node update: nothing to change', {
        hint: 'Say --label, --label-rm or --availability.',
      })
    const { nodes } = await context.client()
    const node = await nodes.update(ref, { labels, ...(availability === undefined ? {} : { availability }) })
    context.terminal.stdout.write(`${node.hostname}\n`)
    return 0
  },
})

function readLabel(word: string): readonly [name: string, value: string] {
  const mark = word.indexOf('=')
  const name = mark === -1 ? word : word.slice(0, mark)
  if (name === '') throw cliError('cli.usage', `--label ${JSON.stringify(word)} has no name`)
  return [name, mark === -1 ? '' : word.slice(mark + 1)]
}

/** How often it is looked whether a node is empty. */
const LOOK_EVERY_MS = 300

export const nodeDrain = command({
  name: 'node drain',
  usage: '[FLAGS] NODE',
  summary: 'Send the tasks of a node elsewhere, and wait until it has none.',
  description:
    'Each goes when another one has taken its place, or at once where two must not run side by side. Tasks that fit nowhere else stay on the node. `glovebox node update --availability active NODE` lets it have tasks again.',
  examples: [['node drain host1', 'before it is switched off']],
  flags: { detach: isSet('Do not wait', 'd') },
  operands: { min: 1, max: 1 },
  completes: ['node'],
  run: async ({ flags, operands: [ref = ''] }, context) => {
    const { nodes, services } = await context.client()
    const signal = context.interrupted()
    const { id, hostname } = await nodes.update(ref, { availability: 'drain' })
    if (flags.detach) return said(`${hostname}: being drained\n`, context)
    let told = ''
    for (;;) {
      const { tasks } = await nodes.get(id)
      if (tasks.length === 0) return said(`${hostname}: drained\n`, context)
      // Those that wait for a place say why there is none.
      const waiting = (await services.tasks([], { isEnded: false })).find(({ node, message }) => node === null && message !== '')
      const why = waiting === undefined ? '' : `; ${waiting.name} waits: ${printable(waiting.message)}`
      const text = `${counted(tasks.length, 'task')} left: ${tasks.map(({ name }) => name).join(', ')}${why}\n`
      if (text !== told) context.terminal.stderr.write(text)
      told = text
      try {
        await context.clock.sleep(LOOK_EVERY_MS, signal)
      } catch {
        context.terminal.stderr.write(`${hostname} goes on being drained: see \`glovebox node ls\`.\n`)
        return 130
      }
    }
  },
})

function said(text: string, { terminal }: CliContext): number {
  terminal.stdout.write(text)
  return 0
}

export const nodeRebalance = command({
  name: 'node rebalance',
  usage: '[FLAGS]',
  summary: 'Move tasks to nodes where they stand better.',
  description:
    'Off nodes that are drained or whose labels no longer fit, and from where there are most of a service to where there are at least two fewer. One task of each service at a time: run it again for the next ones. By itself the daemon does so only with `--rebalance-every`.',
  examples: [
    ['node rebalance --dry-run', 'what would be moved, and why'],
    ['node rebalance', 'one of each service'],
  ],
  flags: { 'dry-run': isSet('Show what would be moved, and move nothing'), format: formatFlag },
  operands: { min: 0, max: 0 },
  run: async ({ flags }, context) => {
    const { nodes } = await context.client()
    const moves = flags['dry-run'] ? await nodes.moves() : await nodes.rebalance()
    if (moves.length === 0 && flags.format === undefined) return said('nothing to move\n', context)
    printList({ rows: moves, columns: MOVE_COLUMNS }, flags.format, context)
    return 0
  },
})

const MOVE_COLUMNS = [
  { title: 'TASK', cell: ({ task }: MoveView) => task },
  { title: 'FROM', cell: ({ from }: MoveView) => printable(from) },
  { title: 'TO', cell: ({ to }: MoveView) => printable(to) },
  { title: 'WHY', cell: ({ reason }: MoveView) => printable(reason) },
]
