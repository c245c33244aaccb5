import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'

import { startRegistry } from '../test/kernel/registry-process.ts'
import { dockerDaemon, gloveboxDaemon, type BenchDaemon } from './daemons.ts'
import { command, inTurn } from './measure.ts'
import type { Row } from './rows.ts'

const RUNS = 5
const MB = 1024 * 1024
const BLOB_BYTES = 1024 * MB
const LARGE_BYTES = 2048 * MB
const IMAGE_BYTES = 300 * MB
/** At least 0.8 of its rate. */
const BAR = 1.25
/** What a blob of 2 GB may add to the daemon's memory. */
const MEMORY_BAR_MB = 64
const NAME = 'bench/blobs'

interface Blob {
  readonly path: string
  readonly digest: string
}

interface Subject {
  readonly name: string
  /** `http://127.0.0.1:PORT`. */
  readonly base: string
}

/** The registry that a daemon serves beside Debian's docker-registry: blobs with curl, images with docker. */
export async function registries(directory: string): Promise<readonly Row[]> {
  const place = join(directory, 'registry')
  mkdirSync(place, { recursive: true })
  const port = await freePort()
  await using daemon = await gloveboxDaemon(directory, { name: 'registry-daemon', more: ['--registry', `127.0.0.1:${port}`] })
  const peer = await startRegistry({ canDelete: true })
  try {
    const subjects = [
      { name: 'glovebox', base: `http://127.0.0.1:${port}` },
      { name: 'docker-registry', base: `http://${peer.host.replace('localhost', '127.0.0.1')}` },
    ]
    // Memory first: nothing has gone through yet.
    const large = await memoryOf(daemon, subjects[0]?.base ?? '', place)
    return [...large, ...(await blobs(subjects, place)), ...(await images(subjects, directory, place))]
  } finally {
    await peer.stop()
  }
}

async function memoryOf(daemon: BenchDaemon, base: string, place: string): Promise<readonly Row[]> {
  const blob = await makeBlob(join(place, 'large'), LARGE_BYTES)
  await sleep(2000)
  const before = memoryBytes(daemon.pid, 'VmRSS')
  await push(base, blob)
  await pull(base, blob)
  const most = memoryBytes(daemon.pid, 'VmHWM')
  rmSync(blob.path)
  const figure = (most - before) / MB
  const ratio = { to: 'the bar', value: figure / MEMORY_BAR_MB, bar: 1 }
  const what = 'memory that a blob of 2 GB adds, pushed and pulled'
  return [{ what, subject: 'glovebox', median: figure, min: figure, p90: figure, unit: 'MB', runs: 1, ratio }]
}

async function blobs(subjects: readonly Subject[], place: string): Promise<readonly Row[]> {
  const blob = await makeBlob(join(place, 'blob'), BLOB_BYTES)
  const pushed = await inTurn(
    subjects.map(({ name, base }) => ({
      name,
      run: async () => await push(base, blob),
      after: async () => void (await command('curl', ['-sf', '-X', 'DELETE', `${base}/v2/${NAME}/blobs/${blob.digest}`])),
    })),
    RUNS,
    1,
  )
  for (const { base } of subjects) await push(base, blob)
  const pulled = await inTurn(
    subjects.map(({ name, base }) => ({ name, run: async () => await pull(base, blob) })),
    RUNS,
    1,
  )
  return [
    ...rowsOf('registry: push of a blob of 1 GB (curl)', pushed),
    ...rowsOf('registry: pull of a blob of 1 GB (curl)', pulled),
  ]
}

/** From and to one daemon, so that all that differs is the registry. */
async function images(subjects: readonly Subject[], directory: string, place: string): Promise<readonly Row[]> {
  await using client = (await dockerDaemon(directory)) ?? (await gloveboxDaemon(directory, { name: 'client' }))
  const docker = async (...args: readonly string[]) =>
    void (await command('docker', ['-H', `unix://${client.socketPath}`, ...args]))
  // A client remembers what it has pushed where: only what is new is sent.
  const renew = async () => {
    const tree = join(place, 'tree')
    mkdirSync(tree, { recursive: true })
    await makeBlob(join(tree, 'file'), IMAGE_BYTES)
    await command('tar', ['-C', tree, '-cf', join(place, 'image.tar'), '.'])
    await docker('import', join(place, 'image.tar'), 'bench:image')
  }
  await renew()
  let round = 0
  const tagOf = (base: string, tag: number) => `${new URL(base).host}/bench/image-${tag}:1`
  const pushed = await inTurn(
    subjects.map(({ name, base }) => ({
      name,
      run: async () => {
        round += 1
        await docker('tag', 'bench:image', tagOf(base, round))
        await docker('push', '-q', tagOf(base, round))
      },
      after: async () => {
        await docker('rmi', tagOf(base, round), 'bench:image')
        await renew()
      },
    })),
    RUNS,
    1,
  )
  for (const { base } of subjects) {
    await docker('tag', 'bench:image', tagOf(base, 0))
    await docker('push', '-q', tagOf(base, 0))
    await docker('rmi', tagOf(base, 0))
  }
  await docker('rmi', 'bench:image')
  const pulled = await inTurn(
    subjects.map(({ name, base }) => ({
      name,
      run: async () => await docker('pull', '-q', tagOf(base, 0)),
      after: async () => await docker('rmi', tagOf(base, 0)),
    })),
    RUNS,
    1,
  )
  return [...rowsOf('registry: docker push of 300 MB', pushed), ...rowsOf('registry: docker pull of 300 MB', pulled)]
}

type Summaries = Awaited<ReturnType<typeof inTurn>>

function rowsOf(what: string, summaries: Summaries): readonly Row[] {
  const peer = summaries.get('docker-registry')
  return [...summaries].map(([subject, { medianMs, minMs, p90Ms, runs }]) => ({
    what,
    subject,
    median: medianMs,
    min: minMs,
    p90: p90Ms,
    unit: 'ms' as const,
    runs,
    ratio:
      subject === 'glovebox' && peer !== undefined ? { to: 'docker-registry', value: medianMs / peer.medianMs, bar: BAR } : null,
  }))
}

async function push(base: string, { path, digest }: Blob): Promise<void> {
  const begun = await fetch(`${base}/v2/${NAME}/blobs/uploads/`, { method: 'POST' })
  const place = new URL(begun.headers.get('location') ?? '', base)
  place.searchParams.set('digest', digest)
  await command('curl', ['-sf', '-o', '/dev/null', '-H', 'content-type: application/octet-stream', '-T', path, String(place)])
}

async function pull(base: string, { digest }: Blob): Promise<void> {
  await command('curl', ['-sf', '-o', '/dev/null', `${base}/v2/${NAME}/blobs/${digest}`])
}

/** Bytes that nothing makes smaller. */
async function makeBlob(path: string, sizeBytes: number): Promise<Blob> {
  const child = spawn('head', ['-c', String(sizeBytes), '/dev/urandom'], { stdio: ['ignore', 'pipe', 'ignore'] })
  await finished(child.stdout.pipe(createWriteStream(path)))
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: MB })) hash.update(chunk as Buffer)
  return { path, digest: `sha256:${hash.digest('hex')}` }
}

/** Sets the mark of the most memory back as well, so that it is of what follows. */
function memoryBytes(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const kilobytes = Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
  if (field === 'VmRSS') writeFileSync(`/proc/${pid}/clear_refs`, '5')
  return kilobytes * 1024
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
