import { choice, duration } from '../args/flags.ts'
import { command } from '../command.ts'
import { cliError } from '../errors.ts'
import {
  FIGURES,
  lastOf,
  pageRows,
  ROUTE_FIGURES,
  subjectsOf,
  textOf,
  windowOf,
  type Figure,
  type Subject,
} from '../metrics-page.ts'
import { sparkline } from '../output/sparkline.ts'
import { renderTable } from '../output/table.ts'

const HOUR_MS = 3_600_000

export const metrics = command({
  name: 'metrics',
  usage: '[FLAGS] [SERVICE]',
  summary: 'Show what services, containers and routes used, and how it came.',
  description:
    'The daemon measures every ten seconds and keeps it: as it is for six hours, by the minute for three days, by ten minutes for sixty. Containers of one service are added up. With a name, everything that is known of it: a service, STACK/SERVICE, a stack, a container or a route.',
  examples: [
    ['metrics', 'the last hour of all services, containers and routes'],
    ['metrics shop/web --since 72h', 'three days of one service'],
  ],
  flags: {
    since: duration('How far back (default 1h)'),
    format: choice(['table', 'json'], 'How to print it'),
  },
  operands: { min: 0, max: 1 },
  completes: ['running-or-service'],
  run: async ({ flags, operands }, context) => {
    const [name = null] = operands
    const client = await context.client()
    const window = windowOf(context.clock.nowMs(), flags.since ?? HOUR_MS)
    const subjects = await subjectsOf(client, name, window)
    if (subjects.length === 0 && name !== null)
      throw cliError('cli.not_found', `nothing is known of ${name}`, {
        hint: 'What has just been started is known after some twenty seconds; `glovebox metrics` shows everything.',
      })
    const { stdout } = context.terminal
    if (flags.format === 'json') stdout.write(`${JSON.stringify({ ...window, subjects }, null, 2)}\n`)
    else stdout.write(name === null ? overview(subjects) : subjects.map(page).join('\n'))
    return 0
  },
})

const SHOWN = ['cpu', 'memoryBytes', 'receivedBytes', 'sentBytes', 'pids']

function overview(subjects: readonly Subject[]): string {
  const shown = FIGURES.filter(({ key }) => SHOWN.includes(key))
  const used = table(
    'NAME',
    shown,
    'cpu',
    subjects.filter(({ kind }) => kind !== 'route'),
  )
  const routes = subjects.filter(({ kind }) => kind === 'route')
  return routes.length === 0 ? used : `${used}\n${table('ROUTE', ROUTE_FIGURES, 'requests', routes)}`
}

function table(title: string, figures: readonly Figure[], plotted: string, subjects: readonly Subject[]): string {
  const trend = figures.find(({ key }) => key === plotted)?.title ?? ''
  const columns = [{ title }, ...figures.map((figure) => ({ title: figure.title })), { title: `${trend} UNTIL NOW` }]
  const rows = subjects.map((subject) => [
    subject.name,
    ...figures.map((figure) => textOf(figure, lastOf(subject.figures[figure.key]))),
    sparkline(subject.figures[plotted] ?? []),
  ])
  return renderTable(columns, rows)
}

const COLUMNS = [
  { title: 'FIGURE' },
  { title: 'NOW' },
  { title: 'AVERAGE' },
  { title: 'HIGHEST' },
  { title: 'UNTIL NOW' },
] as const

function page(subject: Subject): string {
  return `${subject.kind} ${subject.name}\n${renderTable(COLUMNS, pageRows(subject))}`
}
