import { duration, isSet } from '../args/flags.ts'
import { command } from '../command.ts'
import { formatFlag, printList } from '../list-format.ts'
import { cpuShares, type ProcessRow, processRows } from '../output/process-rows.ts'
import { alignedText } from '../listing/listing.ts'
import { printable } from '../output/colour.ts'
import { renderTable, truncate } from '../output/table.ts'
import { binaryBytes } from '../output/units.ts'

const DEFAULT_INTERVAL_MS = 1000
/** Without a terminal there are two readings, for CPU shares take a span of time. */
const SAMPLE_MS = 200

export const top = command({
  name: 'top',
  usage: '[FLAGS] [CONTAINER...] or CONTAINER [PS OPTIONS]',
  summary: "Containers' processes as the host sees them: each is an ordinary process with an ordinary number.",
  description:
    'Without a container, or with --once, --interval or --format: the processes of all or of some containers, with what they use. With a container and none of these flags: its processes in the columns of ps, as docker top has them.',
  examples: [
    ['top', 'all containers, again every second'],
    ['top web', 'one container, the columns of ps -ef'],
    ['top web -o pid,comm', 'other columns'],
    ['top --once --format json web db', 'for a program'],
  ],
  flags: {
    once: isSet('Print once, also on a terminal'),
    interval: duration('Time between two readings (default 1s)'),
    format: formatFlag,
  },
  operands: { min: 0, max: Infinity },
  completes: ['running'],
  stopsAtOperand: true,
  run: async ({ flags, operands }, context) => {
    const client = await context.client()
    if (operands.length > 0 && !flags.once && flags.interval === undefined && flags.format === undefined) {
      const [ref = '', ...words] = operands
      const { Titles, Processes } = await client.containers.top(ref, words.length === 0 ? undefined : words.join(' '))
      const lines = [Titles, ...(Processes ?? [])].map((line) => line.map(printable))
      context.terminal.stdout.write(alignedText(lines))
      return 0
    }
    const { stdout } = context.terminal
    const read = async () => ({ processes: await client.glovebox.processes(operands), atMs: context.clock.monotonicMs() })
    const isLive = stdout.isTty && !flags.once && flags.format === undefined
    const signal = isLive ? context.interrupted() : new AbortController().signal
    let before = await read()
    await context.clock.sleep(SAMPLE_MS)
    for (;;) {
      const now = await read()
      const rows = processRows(now.processes, cpuShares(before.processes, now.processes, now.atMs - before.atMs))
      if (!isLive) {
        printList({ rows, columns: COLUMNS }, flags.format, context)
        return 0
      }
      stdout.write(screen(rows, stdout.rows, stdout.columns))
      before = now
      await context.clock.sleep(flags.interval ?? DEFAULT_INTERVAL_MS, signal).catch(() => undefined)
      if (signal.aborted) return 0
    }
  },
})

const COLUMNS = [
  { title: 'HOST PID', align: 'right' as const, cell: (row: ProcessRow) => String(row.pid) },
  { title: 'CONTAINER', cell: (row: ProcessRow) => printable(row.container) },
  { title: 'PID INSIDE', align: 'right' as const, cell: (row: ProcessRow) => String(row.insidePid) },
  { title: 'USER', cell: (row: ProcessRow) => printable(row.user) },
  { title: 'CPU%', align: 'right' as const, cell: (row: ProcessRow) => row.cpuPercent.toFixed(1) },
  { title: 'MEMORY', align: 'right' as const, cell: (row: ProcessRow) => binaryBytes(row.rssBytes) },
  { title: 'COMMAND', cell: (row: ProcessRow) => printable(row.command) },
]

/** From the top of the screen, what was there before gone. */
function screen(rows: readonly ProcessRow[], height: number, width: number): string {
  const table = renderTable(
    COLUMNS,
    rows.map((row) => COLUMNS.map((column) => column.cell(row))),
  )
  const lines = table
    .trimEnd()
    .split('\n')
    .slice(0, Math.max(1, height - 1))
  return `\u001b[H\u001b[J${lines.map((line) => truncate(line, width)).join('\n')}\n`
}
