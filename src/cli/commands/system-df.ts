import { isSet } from '../args/flags.ts'
import { command } from '../command.ts'
import { diskUsageRows, USAGE_HEADINGS, verboseUsage } from '../listing/disk-usage.ts'
import { listingText, printListing } from '../listing/listing.ts'
import { formatFlag } from '../list-format.ts'
import { cliError } from '../errors.ts'
import { decimalSize } from '../output/human.ts'

export const systemDf = command({
  name: 'system df',
  usage: '[FLAGS]',
  summary: 'Show how much images, containers, volumes and results of builds take.',
  examples: [
    ['system df', 'in four lines'],
    ['system df -v', 'one by one'],
  ],
  flags: { verbose: isSet('One by one', 'v'), format: formatFlag },
  operands: { min: 0, max: 0 },
  run: async ({ flags }, context) => {
    const usage = await (await context.client()).system.diskUsage({})
    const { stdout } = context.terminal
    if (!flags.verbose) {
      const table = ['Type', 'TotalCount', 'Active', 'Size', 'Reclaimable']
      printListing({ headings: USAGE_HEADINGS, table, rows: diskUsageRows(usage) }, flags.format, context)
      return 0
    }
    const { images, containers, volumes, builds, buildBytes } = verboseUsage(usage, context.clock.nowMs())
    if (flags.format === 'json') {
      const plain = (rows: readonly object[]) => rows.map((row) => JSON.parse(JSON.stringify(row)) as unknown)
      const all = {
        Images: plain(images.rows),
        Containers: plain(containers.rows),
        Volumes: plain(volumes.rows),
        BuildCache: plain(builds.rows),
      }
      stdout.write(`${JSON.stringify(all)}\n`)
      return 0
    }
    if (flags.format !== undefined && flags.format !== 'table')
      throw cliError('cli.usage', 'system df: --verbose is printed as a table or as json', {
        hint: 'For a template leave --verbose out.',
      })
    const part = (title: string, text: string) => `${title}\n\n${text}\n`
    stdout.write(
      part('Images space usage:', listingText(images, undefined)) +
        part('Containers space usage:', listingText(containers, undefined)) +
        part('Local Volumes space usage:', listingText(volumes, undefined)) +
        part(`Build cache usage: ${decimalSize(buildBytes, 4)}`, listingText(builds, undefined)).trimEnd() +
        '\n',
    )
    return 0
  },
})
