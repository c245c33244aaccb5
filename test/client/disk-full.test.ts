import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { type TestDaemon, startDaemon } from '../support/daemon.ts'
import { type Docker, dockerClients, dockerOf } from '../support/docker.ts'
import { busyboxTar } from '../support/image.ts'
import { run, until } from '../support/processes.ts'
import { fill, smallDisk } from '../support/small-disk.ts'
import { untilWhy } from '../support/why.ts'

const MIB = 1024 * 1024
const DISK_BYTES = 48 * MIB
const TIMEOUT_MS = 20_000

/** A tar with one file of incompressible bytes. */
async function tarOf(directory: string, name: string, bytes: number): Promise<string> {
  const path = join(directory, name)
  const random = Buffer.alloc(bytes)
  for (let at = 0; at < bytes; at += 8) random.writeDoubleLE(Math.sin(at + name.length), at)
  writeFileSync(path, random)
  const packed = await run('tar', ['-C', directory, '-cf', `${path}.tar`, name])
  assert.equal(packed.code, 0, packed.stderr)
  return `${path}.tar`
}

describe('a daemon on a disk of 48 MiB', () => {
  let daemon: TestDaemon
  let docker: Docker
  const root = () => join(daemon.directory, 'root')
  const freeBytes = () => {
    const { bavail, bsize } = statfsSync(root())
    return bavail * bsize
  }

  before(async () => {
    // The rule for the disk is off: images here are younger than it would look at.
    daemon = await startDaemon(['--gc', 'unused=1s,untagged=1s,keep=0,min-free=0%,protect=busybox:*'], smallDisk(DISK_BYTES))
    docker = dockerOf(daemon, dockerClients()[0] ?? assert.fail('no client'))
    const base = await busyboxTar(daemon.directory)
    await docker.must('import', '--change', 'CMD ["sh"]', '--change', 'ENV PATH=/bin', base, 'busybox')
  })
  after(async () => await daemon.stop())

  test('a commit that does not fit says so, leaves nothing, and works once there is room', async () => {
    await docker.must('run', '-d', '--name', 'writer', 'busybox', 'sleep', '1000')
    await docker.must('exec', 'writer', 'sh', '-c', 'dd if=/dev/urandom of=/big bs=1M count=25 2>/dev/null')
    const before = freeBytes()
    const refused = await docker('commit', 'writer', 'snapshot:1')
    assert.notEqual(refused.code, 0)
    assert.match(refused.stderr, /the disk is full/)
    await until('the space to be given back', TIMEOUT_MS, async () => (before - freeBytes() < 256 * 1024 ? true : undefined))
    assert.deepEqual(readdirSync(join(root(), 'content/ingest')), [])
    assert.equal((await docker.inspect('writer')).State.Status, 'running')
    await docker.must('exec', 'writer', 'rm', '/big')
    await docker.must('commit', 'writer', 'snapshot:1')
    await docker.must('rm', '--force', 'writer')
  })

  test('a container goes on while its log cannot be written, what is lost is counted, and logging resumes', async () => {
    // The counter is in memory: a file of the container would hit the full disk itself.
    const loop = 'i=0; while true; do echo "line $i"; echo $i > /counter/now; i=$((i+1)); sleep 0.01; done'
    await docker.must('run', '-d', '--name', 'talker', '--tmpfs', '/counter', 'busybox', 'sh', '-c', loop)
    const count = async () => Number(await docker.must('exec', 'talker', 'cat', '/counter/now'))
    await until('lines in the log', TIMEOUT_MS, async () => ((await count()) > 20 ? true : undefined))
    {
      using _full = fill(root(), 0)
      await until('word of lost lines', TIMEOUT_MS, async () =>
        /log of a container cannot be written.* container=talker lines=\d+/.test(daemon.log()) ? true : undefined,
      )
      await untilWhy(
        daemon,
        '',
        {
          code: 'host.disk',
          sentence: /^The disk that holds images, containers and volumes is full: /,
          evidence: /root: .* available$/,
        },
        TIMEOUT_MS,
      )
      const then = await count()
      await until('the container to go on', TIMEOUT_MS, async () => ((await count()) > then + 20 ? true : undefined))
      assert.match(await docker.must('logs', '--tail', '1', 'talker'), /^line \d+$/)
    }
    const freed = await count()
    await until('lines written after there was room', TIMEOUT_MS, async () => {
      const last = /\d+$/.exec(await docker.must('logs', '--tail', '1', 'talker'))?.[0]
      return Number(last) > freed ? true : undefined
    })
    const lines = (await docker.must('logs', 'talker')).split('\n')
    assert.ok(
      lines.every((line) => /^line \d+$/.test(line)),
      'whole lines only',
    )
    await docker.must('rm', '--force', 'talker')
  })

  test('a write that fails makes the daemon remove unused images, and the next try succeeds', async () => {
    await docker.must('import', await tarOf(daemon.directory, 'unused', 10 * MIB), 'unused:1')
    const second = await tarOf(daemon.directory, 'second', 15 * MIB)
    await docker.must('create', '--name', 'holder', 'busybox')
    await until('the image to be old enough', TIMEOUT_MS, async () => {
      const preview = await daemon.glovebox('system', 'gc', '--dry-run')
      return preview.stdout.includes('unused:1') && !preview.stdout.includes('Stays:\nunused') ? true : undefined
    })
    assert.match((await docker('import', second, 'second:1')).stderr, /the disk is full/)
    await until('room to be made', TIMEOUT_MS, async () => (freeBytes() > 40 * MIB ? true : undefined))
    await docker.must('import', second, 'second:1')
    const report = await daemon.glovebox('system', 'gc')
    assert.match(report.stdout, /\(disk full\)/)
    assert.match(report.stdout, /image +\w+ +unused:1 .*unused for/)
    assert.match(await docker.must('images', 'busybox'), /busybox/)
    await docker.must('rm', 'holder')
  })

  test('with not a byte left, images can still be removed', async () => {
    assert.match(await docker.must('images', '--format', '{{.Repository}}'), /second/)
    const before = freeBytes()
    using _full = fill(root(), 0)
    await docker.must('rmi', 'second:1')
    assert.ok(freeBytes() > 14 * MIB, `${freeBytes()} bytes are free, of ${before} before`)
  })

  test('the log of the daemon says what went', () => {
    assert.match(daemon.log(), /removed an image .*names=unused:1/)
    assert.ok(readFileSync('/proc/mounts', 'utf8').includes('small-disk'))
  })
})
