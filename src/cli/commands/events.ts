import type { DockerEvent } from '#client'

import { choice, list, text } from '../args/flags.ts'
import { command } from '../command.ts'
import { filterQuery } from '../list-format.ts'
import { printable } from '../output/colour.ts'
import { localTime } from '../output/units.ts'
import { timestampQuery } from '../timestamps.ts'

export const events = command({
  name: 'events',
  usage: '[FLAGS]',
  summary: 'Follow what happens: containers that start and die, images that come and go.',
  examples: [
    ['events --since 10m', 'the last ten minutes, then live'],
    ['events --filter type=container --filter event=oom', 'only out-of-memory kills'],
  ],
  flags: {
    since: text('TIME', 'Begin in the past: 10m, 1700000000, or 2026-01-31T14:00:00Z'),
    until: text('TIME', 'End there'),
    filter: list('NAME=VALUE', 'Only those that match: type, event, container, image, label', 'f'),
    format: choice(['text', 'json'], 'How to print them'),
  },
  operands: { min: 0, max: 0 },
  run: async ({ flags }, context) => {
    const client = await context.client()
    const nowMs = context.clock.nowMs()
    const query = {
      since: timestampQuery('--since', flags.since, nowMs),
      until: timestampQuery('--until', flags.until, nowMs),
      filters: filterQuery(flags.filter),
    }
    for await (const event of client.system.events(query, context.interrupted()))
      context.terminal.stdout.write(`${flags.format === 'json' ? JSON.stringify(event) : eventText(event)}\n`)
    return 0
  },
})

export function eventText(event: DockerEvent): string {
  const attributes = Object.entries(event.Actor.Attributes).map(([name, value]) => `${name}=${value}`)
  const tail = attributes.length === 0 ? '' : ` (${attributes.join(', ')})`
  return `${localTime(event.timeNano / 1e6)}  ${printable(`${event.Type} ${event.Action} ${event.Actor.ID.slice(0, 12)}${tail}`)}`
}
