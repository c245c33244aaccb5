import { createHash } from 'node:crypto'
import { copyFileSync, createReadStream, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { startRegistry } from '../test/kernel/registry-process.ts'
import type { BenchDaemon } from './daemons.ts'
import { command, inTurn } from './measure.ts'
import type { Row } from './rows.ts'

const RUNS = 5
/** At least twice dockerd's rate. */
const BAR = 0.5
const LOADED = 'bench:layers'
const LAYERS = 6
const LAYER_BYTES = 50_000_000
/** Programs and libraries, which compress as those of an image do. */
const SOURCES = ['/usr/bin', '/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib', '/usr/sbin']

/** `docker push` and `docker pull` of 300 MB in six layers, to and from a registry on this machine. */
export async function pullAndPush(daemons: readonly BenchDaemon[], directory: string): Promise<readonly Row[]> {
  const archive = await makeArchive(join(directory, 'pull'))
  for (const daemon of daemons) await docker(daemon, 'load', '-q', '-i', archive)
  const pushed = await push(daemons)
  const registry = await startRegistry()
  try {
    const image = `${registry.host}/bench:layers`
    for (const daemon of daemons) {
      await docker(daemon, 'tag', LOADED, image)
      // The peer comes last: both pull what it compressed.
      await docker(daemon, 'push', '-q', image)
      await docker(daemon, 'rmi', image, LOADED)
    }
    const pulled = await inTurn(
      daemons.map((daemon) => ({
        name: daemon.name,
        run: async () => void (await docker(daemon, 'pull', '-q', image)),
        after: async () => void (await docker(daemon, 'rmi', image)),
      })),
      RUNS,
      1,
    )
    return [...rowsOf('docker push of 300 MB in 6 layers', pushed), ...rowsOf('docker pull of 300 MB in 6 layers', pulled)]
  } finally {
    await registry.stop()
  }
}

/** Each push finds a registry that has nothing. */
async function push(daemons: readonly BenchDaemon[]): Promise<Summaries> {
  let registry = await startRegistry()
  const image = () => `${registry.host}/bench:layers`
  const tag = async () => {
    for (const daemon of daemons) await docker(daemon, 'tag', LOADED, image())
  }
  try {
    await tag()
    return await inTurn(
      daemons.map((daemon) => ({
        name: daemon.name,
        run: async () => void (await docker(daemon, 'push', '-q', image())),
        after: async () => {
          for (const one of daemons) await docker(one, 'rmi', image())
          await registry.stop()
          registry = await startRegistry()
          await tag()
        },
      })),
      RUNS,
      1,
    )
  } finally {
    for (const daemon of daemons) await docker(daemon, 'rmi', image()).catch(() => undefined)
    await registry.stop()
  }
}

type Summaries = Awaited<ReturnType<typeof inTurn>>

function rowsOf(what: string, summaries: Summaries): readonly Row[] {
  const peer = summaries.get('dockerd')
  return [...summaries].map(([subject, { medianMs, minMs, p90Ms, runs }]) => ({
    what,
    subject,
    median: medianMs,
    min: minMs,
    p90: p90Ms,
    unit: 'ms' as const,
    runs,
    ratio: subject === 'glovebox' && peer !== undefined ? { to: 'dockerd', value: medianMs / peer.medianMs, bar: BAR } : null,
  }))
}

async function makeArchive(base: string): Promise<string> {
  const place = join(base, 'archive')
  mkdirSync(place, { recursive: true })
  const files = filesOf(SOURCES)
  const diffIds: string[] = []
  for (let layer = 0; layer < LAYERS; layer += 1) {
    const tree = join(base, `tree-${layer}`, `layer-${layer}`)
    mkdirSync(tree, { recursive: true })
    for (let bytes = 0; bytes < LAYER_BYTES;) {
      const next = files.next()
      if (next.done === true) throw new Error(`there are not ${LAYERS * LAYER_BYTES} bytes in ${SOURCES.join(', ')}`)
      copyFileSync(next.value.path, join(tree, next.value.name))
      bytes += next.value.sizeBytes
    }
    const tar = join(place, `${layer}.tar`)
    await command('tar', ['-C', join(base, `tree-${layer}`), '-cf', tar, '.'])
    diffIds.push(`sha256:${await sha256(tar)}`)
  }
  writeFileSync(
    join(place, 'config.json'),
    JSON.stringify({ architecture: 'amd64', os: 'linux', config: {}, rootfs: { type: 'layers', diff_ids: diffIds } }),
  )
  const Layers = diffIds.map((_, layer) => `${layer}.tar`)
  writeFileSync(join(place, 'manifest.json'), JSON.stringify([{ Config: 'config.json', RepoTags: [LOADED], Layers }]))
  const archive = join(base, 'image.tar')
  await command('tar', ['-C', place, '-cf', archive, ...Layers, 'config.json', 'manifest.json'])
  return archive
}

function* filesOf(directories: readonly string[]): Generator<{ path: string; name: string; sizeBytes: number }> {
  let count = 0
  for (const directory of directories) {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name)
      if (!entry.isFile()) continue
      const sizeBytes = statSync(path).size
      if (sizeBytes > LAYER_BYTES / 4) continue
      count += 1
      yield { path, name: `${count}-${entry.name}`, sizeBytes }
    }
  }
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

async function docker(daemon: BenchDaemon, ...args: readonly string[]): Promise<string> {
  return await command('docker', ['-H', `unix://${daemon.socketPath}`, ...args])
}
