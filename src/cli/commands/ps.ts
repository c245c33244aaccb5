import { shortId } from '#base'
import type { DockerContainerSummary, DockerPort } from '#client'

import { isSet, list, number } from '../args/flags.ts'
import { command } from '../command.ts'
import { filterQuery, formatFlag, printList } from '../list-format.ts'
import { printable } from '../output/colour.ts'
import { truncate } from '../output/table.ts'
import { roughDuration } from '../output/units.ts'

export const ps = command({
  name: 'ps',
  usage: '[FLAGS]',
  summary: 'List containers.',
  examples: [
    ['ps', 'what runs'],
    ['ps -a --filter status=exited', 'what has ended'],
    ["ps --format '{{.Names}}\\t{{.Status}}'", 'chosen fields'],
  ],
  flags: {
    all: isSet('Also those that do not run', 'a'),
    quiet: isSet('Ids only', 'q'),
    'no-trunc': isSet('Nothing shortened'),
    last: number('N', 'The N newest, running or not', 'n'),
    filter: list('NAME=VALUE', 'Only those that match: name, id, status, label, ancestor, ...', 'f'),
    format: formatFlag,
  },
  operands: { min: 0, max: 0 },
  run: async ({ flags }, context) => {
    const client = await context.client()
    const found = await client.containers.list({
      all: flags.all || undefined,
      limit: flags.last,
      filters: filterQuery(flags.filter),
    })
    if (flags.quiet) {
      for (const one of found) context.terminal.stdout.write(`${flags['no-trunc'] ? one.Id : shortId(one.Id)}\n`)
      return 0
    }
    const nowMs = context.clock.nowMs()
    printList({ rows: found.map((one) => containerRow(one, nowMs, flags['no-trunc'])), columns: COLUMNS }, flags.format, context)
    return 0
  },
})

export interface ContainerRow {
  readonly ID: string
  readonly Image: string
  readonly Command: string
  readonly Created: string
  readonly Status: string
  readonly State: string
  readonly Ports: string
  readonly Names: string
  readonly Labels: Readonly<Record<string, string>>
}

const COLUMNS = [
  { title: 'CONTAINER ID', cell: (row: ContainerRow) => row.ID },
  { title: 'IMAGE', cell: (row: ContainerRow) => row.Image },
  { title: 'COMMAND', cell: (row: ContainerRow) => row.Command },
  { title: 'CREATED', cell: (row: ContainerRow) => row.Created },
  { title: 'STATUS', cell: (row: ContainerRow) => row.Status },
  { title: 'PORTS', cell: (row: ContainerRow) => row.Ports },
  { title: 'NAMES', cell: (row: ContainerRow) => row.Names },
]

export function containerRow(one: DockerContainerSummary, nowMs: number, isWhole: boolean): ContainerRow {
  const cut = (text: string, width: number) => (isWhole ? printable(text) : truncate(printable(text), width))
  return {
    ID: isWhole ? one.Id : shortId(one.Id),
    Image: one.Image.startsWith('sha256:') && !isWhole ? shortId(one.Image) : printable(one.Image),
    Command: JSON.stringify(cut(one.Command, 24)),
    Created: `${roughDuration(nowMs - one.Created * 1000)} ago`,
    Status: printable(one.Status),
    State: one.State,
    Ports: portsText(one.Ports ?? []),
    Names: one.Names.map((name) => printable(name.replace(/^\//, ''))).join(', '),
    Labels: one.Labels ?? {},
  }
}

export function portsText(ports: readonly DockerPort[]): string {
  const texts = ports.map((port) => {
    const inside = `${port.PrivatePort}/${port.Type}`
    if (port.PublicPort === undefined) return inside
    const ip = port.IP === undefined || port.IP === '' ? '' : `${port.IP.includes(':') ? `[${port.IP}]` : port.IP}:`
    return `${ip}${port.PublicPort}->${inside}`
  })
  return [...new Set(texts)].toSorted().join(', ')
}
