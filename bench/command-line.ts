import { join } from 'node:path'

import type { BenchDaemon } from './daemons.ts'
import { command, inTurn } from './measure.ts'
import type { Row } from './rows.ts'

const RUNS = 30
const HOME = join(import.meta.dirname, '..')

/** From the return key to the list: our own command line, drawn by the daemon and by Node, against the docker CLI on the same daemon. */
export async function commandLines(daemon: BenchDaemon): Promise<readonly Row[]> {
  const address = `unix://${daemon.socketPath}`
  const ours = async (program: string, ...words: readonly string[]) =>
    void (await command('env', [`GLOVEBOX_HOST=${address}`, program, ...words]))
  const summaries = await inTurn(
    [
      { name: 'docker', run: async () => void (await command('docker', ['-H', address, 'ps'])) },
      { name: 'glovebox', run: async () => await ours(join(HOME, 'glovebox'), 'ps') },
      {
        name: 'glovebox, without help of the daemon',
        run: async () => await ours(process.execPath, join(HOME, 'build/cli.cjs'), 'ps'),
      },
    ],
    RUNS,
  )
  const peer = summaries.get('docker')
  return [...summaries].map(([subject, { medianMs, minMs, p90Ms, runs }]) => ({
    what: 'ps of our own command line',
    subject,
    median: medianMs,
    min: minMs,
    p90: p90Ms,
    unit: 'ms' as const,
    runs,
    ratio: subject === 'glovebox' && peer !== undefined ? { to: 'docker ps', value: medianMs / peer.medianMs, bar: 1 } : null,
  }))
}
