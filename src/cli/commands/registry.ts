import { formatBytes } from '#base'

import { choice } from '../args/flags.ts'
import { command } from '../command.ts'
import { ruleText } from '../output/registry-page.ts'
import { renderFields } from '../output/table.ts'
import { roughDuration } from '../output/units.ts'

export const registry = command({
  name: 'registry',
  usage: '[FLAGS]',
  summary: 'Show the registry that the daemon serves.',
  description:
    'A registry inside the daemon: `docker push 127.0.0.1:5000/team/web` and pulls from every host, without another program to run. It is kept always and served where `glovebox daemon start --registry HOST:PORT` says; beyond this machine it needs a certificate (--registry-cert, --registry-key) and users (`glovebox registry grant`).',
  examples: [['registry', 'where it is, what it holds, and by which rules']],
  flags: { format: choice(['text', 'json'], 'How to print it') },
  operands: { min: 0, max: 0 },
  run: async ({ flags }, context) => {
    const status = await (await context.client()).registry.status()
    const { stdout } = context.terminal
    if (flags.format === 'json') {
      stdout.write(`${JSON.stringify(status, null, 2)}\n`)
      return 0
    }
    const { lastCollection } = status
    const cleaned =
      lastCollection === null
        ? 'not since the daemon started'
        : `${roughDuration(context.clock.nowMs() - lastCollection.atMs)} ago: ${lastCollection.report.removed.length} removed, ${formatBytes(lastCollection.report.reclaimedBytes)} free`
    stdout.write(
      renderFields([
        ['address', status.address ?? 'not served: start the daemon with --registry 127.0.0.1:5000'],
        [
          'access',
          status.isOpen ? 'anybody on this machine may pull, push and delete' : 'by users; see `glovebox registry users`',
        ],
        ['repositories', String(status.repositoryCount)],
        ['content', `${status.blobCount} blobs, ${formatBytes(status.sizeBytes)}`],
        ...(status.mirrors.length === 0
          ? []
          : [['mirrors', status.mirrors.map(({ prefix, upstream }) => `${prefix}/ from ${upstream}`).join('\n')] as const]),
        ['rules', status.rules.map(ruleText).join('\n')],
        ['cleaned', cleaned],
      ]),
    )
    return 0
  },
})
