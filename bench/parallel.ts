import type { BenchDaemon } from './daemons.ts'
import { command } from './measure.ts'
import type { Row } from './rows.ts'

const CONTAINERS = 200
const CLIENTS = 8
/** At least five times dockerd's rate. */
const BAR = 0.2

/** 200 containers from 8 clients at once: the time of all of them, `docker run --rm` on the default bridge. */
export async function parallelRuns(daemons: readonly BenchDaemon[], image: { readonly tar: string }): Promise<readonly Row[]> {
  const totals = new Map<string, number>()
  for (const daemon of daemons) {
    const docker = async (...args: readonly string[]) => await command('docker', ['-H', `unix://${daemon.socketPath}`, ...args])
    await docker('import', image.tar, 'probe:parallel')
    await docker('run', '--rm', 'probe:parallel', '/bin/true')
    const start = performance.now()
    const client = async () => {
      for (let i = 0; i < CONTAINERS / CLIENTS; i += 1) await docker('run', '--rm', 'probe:parallel', '/bin/true')
    }
    await Promise.all(Array.from({ length: CLIENTS }, client))
    totals.set(daemon.name, (performance.now() - start) / CONTAINERS)
  }
  const peer = totals.get('dockerd')
  return [...totals].map(([subject, ms]) => ({
    what: `${CONTAINERS} containers by ${CLIENTS} clients, each`,
    subject,
    median: ms,
    min: ms,
    p90: ms,
    unit: 'ms' as const,
    runs: 1,
    ratio: subject === 'glovebox' && peer !== undefined ? { to: 'dockerd', value: ms / peer, bar: BAR } : null,
  }))
}
