import { isOn, isSet, text } from '../args/flags.ts'
import { command } from '../command.ts'
import { HISTORY_HEADINGS, historyRow } from '../listing/image-rows.ts'
import { printListing } from '../listing/listing.ts'
import { formatFlag } from '../list-format.ts'

export const imageHistory = command({
  name: 'image history',
  usage: '[FLAGS] IMAGE',
  summary: 'Show the layers of an image, the newest first.',
  examples: [
    ['image history --no-trunc app:1', 'with whole instructions'],
    ["image history --human=false --format '{{.Size}} {{.CreatedBy}}' app:1", 'sizes in bytes'],
  ],
  flags: {
    human: isOn('Sizes and times for people', 'H'),
    'no-trunc': isSet('Nothing shortened'),
    quiet: isSet('Ids only', 'q'),
    platform: text('OS/ARCH', 'Of this platform of the image'),
    format: formatFlag,
  },
  operands: { min: 1, max: 1 },
  completes: ['image'],
  run: async ({ flags, operands: [image = ''] }, context) => {
    const entries = await (await context.client()).images.history(image, { platform: platformQuery(flags.platform) })
    const view = { nowMs: context.clock.nowMs(), isWhole: flags['no-trunc'], isHuman: flags.human }
    const rows = entries.map((entry) => historyRow(entry, view))
    if (flags.quiet) for (const row of rows) context.terminal.stdout.write(`${String(row['ID'])}\n`)
    else
      printListing(
        {
          headings: HISTORY_HEADINGS,
          table: ['ID', flags.human ? 'CreatedSince' : 'CreatedAt', 'CreatedBy', 'Size', 'Comment'],
          rows,
        },
        flags.format,
        context,
      )
    return 0
  },
})

/** The API takes a platform as JSON here. */
export function platformQuery(platform: string | undefined): string | undefined {
  if (platform === undefined) return undefined
  const [os, architecture, variant] = platform.split('/')
  return JSON.stringify({ os, architecture, ...(variant === undefined ? {} : { variant }) })
}
