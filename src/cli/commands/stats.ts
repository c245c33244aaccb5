import type { Client } from '#client'

import { isSet } from '../args/flags.ts'
import { type CliContext, command } from '../command.ts'
import { listingText } from '../listing/listing.ts'
import { STATS_HEADINGS, STATS_TABLE } from '../listing/stats-rows.ts'
import { formatFlag } from '../list-format.ts'
import { followStats, type FollowedStats } from '../stats/follow-stats.ts'

const INTERVAL_MS = 500

export const stats = command({
  name: 'stats',
  usage: '[FLAGS] [CONTAINER...]',
  summary: 'Show what containers use: processors, memory, network, disks. Without names: all that run.',
  examples: [
    ['stats', 'all, until Ctrl-C'],
    ["stats --no-stream --format '{{.Name}} {{.MemUsage}}'", 'once, for a script'],
  ],
  flags: {
    all: isSet('Also those that do not run', 'a'),
    'no-stream': isSet('Print once'),
    'no-trunc': isSet('Nothing shortened'),
    format: formatFlag,
  },
  operands: { min: 0, max: Infinity },
  completes: ['running'],
  run: async ({ flags, operands }, context) => {
    const client = await context.client()
    const { stdout } = context.terminal
    const signal = context.interrupted()
    const isEvery = operands.length === 0
    const followed = followStats(client, { isWhole: flags['no-trunc'], signal, once: flags['no-stream'], mayVanish: isEvery })
    const text = () => listingText({ headings: STATS_HEADINGS, table: STATS_TABLE, rows: followed.rows() }, flags.format)
    for (const name of isEvery ? await names(client, flags.all) : operands) followed.add(name)
    if (flags['no-stream']) {
      await followed.settled()
      followed.throwFailure()
      stdout.write(text())
      return 0
    }
    for (;;) {
      await context.clock.sleep(INTERVAL_MS, signal).catch(() => undefined)
      if (signal.aborted) return 0
      if (isEvery) await refresh(client, flags.all, followed)
      followed.throwFailure()
      if (!isEvery && followed.size() === 0) return 0
      show(text(), context)
    }
  },
})

async function names(client: Client, all: boolean): Promise<readonly string[]> {
  return (await client.containers.list({ all: all || undefined })).map((one) => one.Id)
}

/** Containers come and go while one looks. */
async function refresh(client: Client, all: boolean, followed: FollowedStats): Promise<void> {
  followed.keepOnly(await names(client, all))
}

/** From the top of the screen, what was there before gone; elsewhere one table below the other. */
function show(text: string, { terminal: { stdout } }: CliContext): void {
  if (!stdout.isTty) return void stdout.write(text)
  const lines = text.split('\n').slice(0, Math.max(1, stdout.rows - 1))
  stdout.write(`\u001b[H${lines.map((line) => `${line}\u001b[K`).join('\n')}\u001b[J`)
}
