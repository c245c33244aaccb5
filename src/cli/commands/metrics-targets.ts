import { choice } from '../args/flags.ts'
import { command } from '../command.ts'
import { roughDuration } from '../output/units.ts'
import { renderTable } from '../output/table.ts'

const COLUMNS = [
  { title: 'CONTAINER' },
  { title: 'ASKED AT' },
  { title: 'SAMPLES' },
  { title: 'LAST' },
  { title: 'PROBLEM' },
] as const

export const metricsTargets = command({
  name: 'metrics targets',
  usage: '[FLAGS]',
  summary: 'Show which containers are asked for metrics of their own.',
  description:
    'A container is asked when it has the label prometheus.io/scrape=true, with prometheus.io/port and prometheus.io/path; or by `x-glovebox: metrics:` of its service. They are asked when somebody reads /metrics/services of the daemon.',
  examples: [['metrics targets', 'all of this machine']],
  flags: { format: choice(['table', 'json'], 'How to print it') },
  operands: { min: 0, max: 0 },
  run: async ({ flags }, context) => {
    const targets = await (await context.client()).metrics.targets()
    const nowMs = context.clock.nowMs()
    const rows = targets.map(({ names, place, samples, atMs, problem }) => [
      names['container'] ?? '',
      place,
      String(samples),
      atMs === null ? 'never' : `${roughDuration(nowMs - atMs)} ago`,
      problem ?? '',
    ])
    context.terminal.stdout.write(flags.format === 'json' ? `${JSON.stringify(targets, null, 2)}\n` : renderTable(COLUMNS, rows))
    return 0
  },
})
