import type { HistoryRecord, ServiceView, TaskView } from '#api/glovebox'

import { isSet, list, number, refused } from '../args/flags.ts'
import { command } from '../command.ts'
import type { CliContext } from '../command.ts'
import { formatFlag, printList } from '../list-format.ts'
import { printListing } from '../listing/listing.ts'
import { objectFormatFlag } from '../listing/object-format.ts'
import { inspectEach } from '../commands/inspect-each.ts'
import { wholeOf } from './deploy-flags.ts'
import { eventDetails, eventText, titleText, whenText, whoText } from './history-page.ts'
import { filtered, hasLabel, type FilterFields } from './row-filters.ts'
import { serviceListing, taskListing } from './service-rows.ts'

const listFlags = {
  filter: list('NAME=VALUE', 'Only those that match', 'f'),
  format: formatFlag,
  quiet: isSet('Ids only', 'q'),
  'no-trunc': isSet('Nothing shortened'),
} as const

const SERVICE_FILTERS: FilterFields<ServiceView> = {
  name: ({ name, title }, value) => name.startsWith(value) || title.startsWith(value),
  id: ({ id }, value) => id.startsWith(value),
  stack: ({ stack }, value) => stack === value,
  mode: ({ mode }, value) => mode === value,
  state: ({ state }, value) => state === value,
  label: ({ labels }, value) => hasLabel(labels, value),
}

const TASK_FILTERS: FilterFields<TaskView> = {
  name: ({ name }, value) => name.startsWith(value),
  id: ({ id }, value) => id.startsWith(value),
  node: ({ node }, value) => node === value,
  'desired-state': ({ desiredState }, value) => desiredState === value,
  state: ({ state }, value) => state === value,
}

export const serviceLs = command({
  name: 'service ls',
  usage: '[FLAGS]',
  summary: 'List services, how many of their tasks are ready, and why not all.',
  examples: [
    ['service ls', 'those of applications and those that stand alone'],
    ['service ls -f stack=shop -f state=failed', 'those of one application that are in trouble'],
    ["service ls --format '{{.Name}} {{.Replicas}}'", 'chosen fields'],
  ],
  flags: listFlags,
  operands: { min: 0, max: 0 },
  run: async ({ flags }, context) => {
    const services = filtered(await (await context.client()).services.list(), flags.filter, SERVICE_FILTERS)
    if (flags.quiet) for (const { id } of services) context.terminal.stdout.write(`${id}\n`)
    else printListing(serviceListing(services, viewOf(flags, context)), flags.format, context)
    return 0
  },
})

export const servicePs = command({
  name: 'service ps',
  usage: '[FLAGS] [SERVICE...]',
  summary: 'List the tasks of services: where they are, how they are, and why.',
  examples: [
    ['service ps shop/web', 'of one service'],
    ['service ps -a', 'of all, also tasks that ended'],
  ],
  flags: {
    ...listFlags,
    'no-resolve': refused('names are what people look for; `glovebox service inspect` has the ids', false),
    all: isSet('Also those that have ended', 'a'),
  },
  operands: { min: 0, max: Infinity },
  completes: ['service'],
  run: async ({ flags, operands }, context) => {
    const { services } = await context.client()
    const all = await services.tasks(operands, flags.all ? {} : { isEnded: false })
    const tasks = filtered(all, flags.filter, TASK_FILTERS)
    if (flags.quiet) for (const { id } of tasks) context.terminal.stdout.write(`${id}\n`)
    else printListing(taskListing(tasks, viewOf(flags, context)), flags.format, context)
    return 0
  },
})

export const serviceInspect = command({
  name: 'service inspect',
  usage: '[FLAGS] SERVICE...',
  summary: 'Everything that is known of services, their tasks and revisions, as JSON.',
  examples: [["service inspect -f '{{.service.state}}' shop/web", 'one field']],
  flags: { format: objectFormatFlag, pretty: refused('`glovebox service ps` and `glovebox history` are for people', false) },
  operands: { min: 1, max: Infinity },
  completes: ['service'],
  run: async ({ flags, operands }, context) => {
    const { services } = await context.client()
    return await inspectEach(operands, flags.format, context, async (ref) => await services.get(ref))
  },
})

export const historyFlags = {
  limit: number('N', 'So many at most (default 50)', 'n'),
  fields: isSet('Every field that changed, below its line'),
  format: formatFlag,
} as const

export const serviceHistory = command({
  name: 'service history',
  usage: '[FLAGS] [SERVICE...]',
  summary: 'Show who changed services, when, what and from where, and what came of it, the youngest first.',
  description:
    'Revisions with what changed in them, rollouts with their steps and outcomes, scalings, pauses, and tasks that were started again. Of all services without a name; of services that are gone too. The history of an image is `glovebox image history`; `glovebox history NAME` is the one of whichever has the name.',
  examples: [
    ['service history shop/web', 'of one service'],
    ['service history --fields shop/web', 'with every field that changed'],
    ["service history --format '{{.atMs}} {{.by}} {{.event.type}}'", 'of all, by a template'],
  ],
  flags: historyFlags,
  operands: { min: 0, max: Infinity },
  completes: ['service'],
  run: async ({ flags, operands }, context) => await showHistory(operands, flags, context),
})

const PLAIN_LIMIT = 50

export async function showHistory(
  refs: readonly string[],
  flags: { readonly limit: number | undefined; readonly fields: boolean; readonly format: string | undefined },
  context: CliContext,
): Promise<number> {
  const { services } = await context.client()
  const limit = flags.limit === undefined ? PLAIN_LIMIT : wholeOf('--limit', flags.limit)
  const records = await services.history({ ...(refs.length === 0 ? {} : { services: refs }), limit })
  if (!flags.fields) printList({ rows: records, columns: HISTORY_COLUMNS }, flags.format, context)
  else
    for (const record of records)
      context.terminal.stdout.write(
        `${whenText(record)}  ${whoText(record)}  ${titleText(record)}  ${eventText(record.event)}\n${eventDetails(record.event, context.paint)}`,
      )
  return 0
}

const HISTORY_COLUMNS = [
  { title: 'WHEN', cell: whenText },
  { title: 'WHO', cell: whoText },
  { title: 'SERVICE', cell: titleText },
  { title: 'WHAT', cell: ({ event }: HistoryRecord) => eventText(event) },
]

function viewOf(flags: { readonly 'no-trunc': boolean }, { clock }: CliContext) {
  return { isWhole: flags['no-trunc'], nowMs: clock.nowMs() }
}
