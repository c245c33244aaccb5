import type { DockerEvent } from '#client'

import { list, text } from '../args/flags.ts'
import { command } from '../command.ts'
import { filterQuery } from '../list-format.ts'
import { printable } from '../output/colour.ts'
import { rfc3339 } from '../output/human.ts'
import { unescaped } from '../listing/listing.ts'
import { compileTemplate } from '../template/template.ts'
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
    format: text('FORMAT', "text (default), json, or a template such as '{{.Action}} {{.Actor.ID}}'"),
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
    const lineOf = eventLine(flags.format)
    for await (const event of client.system.events(query, context.interrupted()))
      context.terminal.stdout.write(`${lineOf(event)}\n`)
    return 0
  },
})

function eventLine(format: string | undefined): (event: DockerEvent) => string {
  if (format === undefined || format === 'text') return eventText
  if (format === 'json' || format === '{{json .}}') return (event) => JSON.stringify(event)
  const template = compileTemplate(unescaped(format))
  return (event) => template.render(eventFields(event))
}

/** Under the names that templates have for them, the older ones as well. */
function eventFields(event: DockerEvent) {
  const { Type, Action, Actor, scope, status, id, from, time, timeNano } = event
  return {
    Type,
    Action,
    Actor,
    Scope: scope ?? '',
    Status: status ?? '',
    ID: id ?? '',
    From: from ?? '',
    Time: time,
    TimeNano: timeNano,
  }
}

/** `2026-01-31T14:05:09.123456789+01:00 container start ID (name=web)`. */
export function eventText(event: DockerEvent): string {
  const attributes = Object.entries(event.Actor.Attributes)
    .map(([name, value]) => `${name}=${value}`)
    .toSorted()
  const tail = attributes.length === 0 ? '' : ` (${attributes.join(', ')})`
  // Nanoseconds since 1970 have more digits than a number holds; the last three are lost to rounding.
  const fraction = String(Math.round(event.timeNano % 1e9)).padStart(9, '0')
  return `${rfc3339(event.time * 1000, fraction)} ${printable(`${event.Type} ${event.Action} ${event.Actor.ID}${tail}`)}`
}
