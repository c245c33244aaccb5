import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import type { BenchDaemon } from './daemons.ts'
import { command, inTurn } from './measure.ts'
import type { Row } from './rows.ts'

const LOAD_RUNS = 3
/** At least three times dockerd's rate. */
const LOAD_BAR = 1 / 3
const FILES = 3000
const FILE_BYTES = 100_000

const CONTAINERS = 1000
const LIST_RUNS = 10
const LIST_BAR_MS = 50

/** `docker load` of an image of 300 MB in one layer, removed between the runs. */
export async function loadImages(daemons: readonly BenchDaemon[], directory: string): Promise<readonly Row[]> {
  const archive = await makeArchive(daemons[0], directory)
  const subjects = daemons.map((daemon) => ({
    name: daemon.name,
    run: async () => {
      await docker(daemon, 'load', '-q', '-i', archive)
    },
    after: async () => {
      await docker(daemon, 'rmi', 'bench:300')
    },
  }))
  const summaries = await inTurn(subjects, LOAD_RUNS, 1)
  const peer = summaries.get('dockerd')
  return [...summaries].map(([subject, { medianMs, minMs, p90Ms, runs }]) => ({
    what: 'docker load of 300 MB',
    subject,
    median: medianMs,
    min: minMs,
    p90: p90Ms,
    unit: 'ms' as const,
    runs,
    ratio:
      subject === 'glovebox' && peer !== undefined ? { to: 'dockerd', value: medianMs / peer.medianMs, bar: LOAD_BAR } : null,
  }))
}

async function makeArchive(daemon: BenchDaemon | undefined, directory: string): Promise<string> {
  if (daemon === undefined) throw new Error('no daemon to make the archive with')
  const tree = join(directory, 'big')
  for (let i = 0; i < FILES; i += 1) {
    const place = join(tree, `directory-${i % 100}`)
    mkdirSync(place, { recursive: true })
    writeFileSync(join(place, `file-${i}`), randomBytes(FILE_BYTES))
  }
  const tar = join(directory, 'big.tar')
  const archive = join(directory, 'big-image.tar')
  await command('tar', ['-C', tree, '-cf', tar, '.'])
  await docker(daemon, 'import', tar, 'bench:300')
  await docker(daemon, 'save', '-o', archive, 'bench:300')
  await docker(daemon, 'rmi', 'bench:300')
  return archive
}

/** `docker ps -a` with a thousand containers. */
export async function listContainers(daemon: BenchDaemon, image: { readonly tar: string }): Promise<readonly Row[]> {
  await docker(daemon, 'import', image.tar, 'probe:list')
  for (let i = 0; i < CONTAINERS; i += 1) await docker(daemon, 'create', '--network', 'none', 'probe:list', '/bin/true')
  const summaries = await inTurn(
    [{ name: 'glovebox', run: async () => void (await docker(daemon, 'ps', '-a', '-q')) }],
    LIST_RUNS,
  )
  return [...summaries].map(([subject, { medianMs, minMs, p90Ms, runs }]) => ({
    what: `docker ps -a with ${CONTAINERS} containers`,
    subject,
    median: medianMs,
    min: minMs,
    p90: p90Ms,
    unit: 'ms' as const,
    runs,
    ratio: { to: `${LIST_BAR_MS} ms`, value: medianMs / LIST_BAR_MS, bar: 1 },
  }))
}

async function docker(daemon: BenchDaemon, ...args: readonly string[]): Promise<string> {
  return await command('docker', ['-H', `unix://${daemon.socketPath}`, ...args])
}
