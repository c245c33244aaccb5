import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import type { BenchDaemon } from './daemons.ts'
import { command, inTurn, type Subject } from './measure.ts'
import type { Row } from './rows.ts'

const RUNS = 20
/** At most a fifth of dockerd's time. */
const BAR = 0.2

/** `docker run --rm IMAGE /bin/true` by one and the same client, without network and on the default bridge, and crun alone. */
export async function runContainers(
  daemons: readonly BenchDaemon[],
  image: { readonly tar: string; readonly rootfs: string },
): Promise<readonly Row[]> {
  for (const daemon of daemons) await docker(daemon, 'import', image.tar, 'probe:bench')
  const rows: Row[] = []
  for (const network of ['none', 'bridge']) {
    const subjects: Subject[] = daemons.map((daemon) => ({
      name: daemon.name,
      run: async () => void (await docker(daemon, 'run', '--rm', '--network', network, 'probe:bench', '/bin/true')),
    }))
    if (network === 'none') subjects.push(await crunAlone(image.rootfs))
    rows.push(...(await compare(`docker run --rm, network ${network}`, subjects)))
  }
  rows.push(...(await compareExec(daemons)))
  return rows
}

async function compareExec(daemons: readonly BenchDaemon[]): Promise<readonly Row[]> {
  const name = 'bench-exec'
  for (const daemon of daemons)
    await docker(daemon, 'run', '-d', '--name', name, '--network', 'none', 'probe:bench', '/bin/sleep', 'infinity')
  const rows = await compare(
    'docker exec',
    daemons.map((daemon) => ({ name: daemon.name, run: async () => void (await docker(daemon, 'exec', name, '/bin/true')) })),
  )
  for (const daemon of daemons) await docker(daemon, 'rm', '-f', name)
  return rows
}

async function compare(what: string, subjects: readonly Subject[]): Promise<readonly Row[]> {
  const summaries = await inTurn(subjects, RUNS)
  const peer = summaries.get('dockerd')
  return [...summaries].map(([subject, summary]) => ({
    what,
    subject,
    median: summary.medianMs,
    min: summary.minMs,
    p90: summary.p90Ms,
    unit: 'ms' as const,
    runs: summary.runs,
    ratio:
      subject === 'glovebox' && peer !== undefined
        ? { to: 'dockerd', value: summary.medianMs / peer.medianMs, bar: what === 'docker exec' ? 1 / 3 : BAR }
        : null,
  }))
}

async function docker(daemon: BenchDaemon, ...args: readonly string[]): Promise<string> {
  return await command('docker', ['-H', `unix://${daemon.socketPath}`, ...args])
}

/** The floor: the OCI runtime by itself, on a ready root file system, in a mount namespace that hides the hybrid cgroup tree from it. */
async function crunAlone(rootfs: string): Promise<Subject> {
  const bundle = join(rootfs, '..', 'bundle')
  mkdirSync(bundle, { recursive: true })
  const spec = JSON.parse(
    await command('sh', ['-c', 'cd "$1" && rm -f config.json && crun spec && cat config.json', 'sh', bundle]),
  ) as {
    process: { args: string[]; terminal: boolean }
    root: { path: string }
  }
  spec.process.args = ['/bin/true']
  spec.process.terminal = false
  spec.root.path = rootfs
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(spec))
  const mask =
    'f=/sys/fs/cgroup/unified/cgroup.controllers; [ ! -e $f ] || mount --bind /dev/null $f; exec crun --root "$1/state" run -b "$1" bench-crun'
  return {
    name: 'crun alone (with unshare and mount)',
    run: async () => void (await command('unshare', ['-m', 'sh', '-c', mask, 'sh', bundle])),
  }
}
