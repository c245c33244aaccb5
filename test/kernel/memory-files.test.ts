import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { after, before, describe, test } from 'node:test'

import type { ContainerSpec, MemoryFile } from '#engine/containers'
import { linuxHost } from '#host'

import { inOwnMounts, testEngine, type TestEngine } from './engine-fixture.ts'
import { givenRanges } from './subordinate-ranges.ts'

inOwnMounts(import.meta.filename)

const MARK = 'gb-mark-7f3a91c0-never-on-a-disk'
const FILES: readonly MemoryFile[] = [
  { target: '/run/secrets/password', uid: 0, gid: 0, mode: 0o444, content: Buffer.from(`${MARK}\n`) },
  { target: '/run/secrets/key', uid: 1000, gid: 1000, mode: 0o400, content: Buffer.from(`${MARK} key\n`) },
  { target: '/etc/app/app.conf', uid: 0, gid: 1000, mode: 0o440, content: Buffer.from('port = 80\n') },
]
const TARGETS = FILES.map(({ target }) => target).join(' ')
const COMMIT = { ref: 'committed:1', author: '', comment: '', changes: [], shouldPause: true }
const isReadOnlyRoot = (spec: ContainerSpec): ContainerSpec => ({ ...spec, security: { ...spec.security, isReadOnlyRoot: true } })

async function bytesOf(stream: Readable): Promise<Buffer> {
  return Buffer.concat((await stream.toArray()) as Buffer[])
}

describe('files in memory', () => {
  let box: TestEngine
  before(async () => void (box = await testEngine()))
  after(async () => await box[Symbol.asyncDispose]())

  const onDisk = () => {
    const { stdout } = spawnSync('grep', ['-rlaF', '--exclude-dir=memory', MARK, box.root, box.runDir], { encoding: 'utf8' })
    return stdout
  }
  const start = async () => {
    const id = await box.create('sleep 1000', FILES)
    await box.engine().containers.start(id)
    return id
  }
  const remove = async (id: string) => await box.engine().containers.remove(id, { force: true, volumes: true })
  const archives = () => {
    const { archives: found } = box.engine().docker
    assert.ok(found)
    return found
  }
  const memory = () => join(box.runDir, 'memory')

  test('are where they were asked for, with owner and mode, and cannot be changed', async () => {
    const id = await box.create(
      `stat -c '%n %u %g %a' ${TARGETS}; cat ${TARGETS}; for f in ${TARGETS}; do echo x > $f && echo written; rm -f $f && echo removed; done 2>&1; true`,
      FILES,
    )
    const { output } = await box.finish(id)
    assert.match(
      output,
      /\/run\/secrets\/password 0 0 444\n\/run\/secrets\/key 1000 1000 400\n\/etc\/app\/app\.conf 0 1000 440\n/,
    )
    assert.match(output, new RegExp(`${MARK}\n${MARK} key\nport = 80\n`))
    assert.doesNotMatch(output, /written|removed/)
    await remove(id)
  })

  test('are read by those whom their mode lets', async () => {
    const id = await box.create('id -u; cat /run/secrets/key; cat /run/secrets/password', FILES, (spec) => ({
      ...spec,
      process: { ...spec.process, user: '1000' },
    }))
    assert.equal((await box.finish(id)).output, `1000\n${MARK} key\n${MARK}\n`)
    const other = await box.create('cat /run/secrets/key', FILES, (spec) => ({
      ...spec,
      process: { ...spec.process, user: '1001' },
    }))
    assert.match((await box.finish(other)).output, /Permission denied/)
    await remove(id)
    await remove(other)
  })

  test('are there in a container whose root is read-only', async () => {
    const id = await box.create(`cat ${TARGETS}; touch /x 2>&1`, FILES, isReadOnlyRoot)
    assert.match((await box.finish(id)).output, new RegExp(`^${MARK}\n${MARK} key\nport = 80\ntouch: /x: Read-only`))
    await remove(id)
  })

  test('are on no disk, and nobody but root looks at them from outside', async () => {
    const id = await start()
    assert.equal(onDisk(), '')
    assert.equal(statSync(memory()).mode & 0o777, 0o700)
    using host = linuxHost({ cgroupPath: '/glovebox-memory-files' })
    const [mount] = host.mounts.list(memory())
    assert.equal(mount?.type, 'tmpfs')
    assert.ok(mount.superOptions.includes('noswap'), mount.superOptions.join())
    await remove(id)
  })

  test('are not in what copies, exports, commits, lists or shows the container', async () => {
    const id = await start()
    const { containers, images } = box.engine()
    await assert.rejects(archives().stat(id, '/run/secrets/password'), { code: 'archive.path_not_found' })
    await assert.rejects(archives().get(id, '/run/secrets/key'), { code: 'archive.path_not_found' })
    await assert.rejects(archives().get(id, '/proc/1/root/run/secrets/key'))
    for (const path of ['/', '/run', '/run/secrets', '/etc']) {
      const { content } = await archives().get(id, path)
      const tar = await bytesOf(content)
      assert.equal(tar.includes(MARK), false, `cp of ${path}`)
    }
    assert.equal((await bytesOf(await containers.export(id))).includes(MARK), false)
    await archives().commit(id, COMMIT)
    assert.equal((await bytesOf(await images.save([COMMIT.ref]))).includes(MARK), false)
    assert.equal(onDisk(), '')
    assert.equal(JSON.stringify([containers.get(id), containers.list(), await containers.changes(id)]).includes(MARK), false)
    await containers.stop(id, { signal: 'KILL', timeoutS: 0 })
    assert.equal((await bytesOf((await archives().get(id, '/run')).content)).includes(MARK), false)
    await remove(id)
  })

  test('outlive the daemon, and a stop of the container', async () => {
    const id = await start()
    await box.again()
    const { containers } = box.engine()
    assert.equal(containers.get(id).status.state, 'running')
    await containers.stop(id, { signal: 'KILL', timeoutS: 0 })
    await box.again()
    await box.engine().containers.start(id)
    assert.equal(readInside(box, id), `${MARK}\n`)
    await remove(id)
  })

  test('go with the container, and what a killed daemon left goes at the next start', async () => {
    const id = await start()
    assert.ok(existsSync(join(memory(), id)))
    await remove(id)
    assert.equal(existsSync(join(memory(), id)), false)
    mkdirSync(join(memory(), 'f'.repeat(64)))
    await box.again()
    assert.deepEqual(readdirSync(memory()), [])
    await assert.rejects(box.create('true', [{ ...(FILES[0] as MemoryFile), target: 'relative' }]), {
      code: 'container.memory_file_invalid',
    })
    assert.deepEqual(readdirSync(memory()), [])
  })

  test('are given again after the machine was away', async () => {
    const id = await box.create(`cat ${TARGETS}`, FILES)
    using host = linuxHost({ cgroupPath: '/glovebox-memory-files' })
    host.mounts.unmount(memory(), { lazy: true })
    const { containers } = box.engine()
    await assert.rejects(containers.start(id), { code: 'container.memory_files_lost' })
    await assert.rejects(containers.provideMemoryFiles(id, FILES.slice(1)), { code: 'container.memory_file_invalid' })
    await containers.provideMemoryFiles(id, FILES)
    assert.equal((await box.finish(id)).output, `${MARK}\n${MARK} key\nport = 80\n`)
    await remove(id)
  })

  test('do not count into the memory of the container that reads them', async () => {
    const limit = 16 * 1024 * 1024
    const large = Array.from({ length: 40 }, (_, n) => ({
      ...{ target: `/run/secrets/${n}`, uid: 0, gid: 0, mode: 0o400 },
      content: Buffer.alloc(500 * 1024, n),
    }))
    const id = await box.create('cat /run/secrets/* > /dev/null && echo all; sleep 1000', large, (spec) => ({
      ...spec,
      resources: { ...spec.resources, memoryBytes: limit },
    }))
    const { containers } = box.engine()
    await containers.start(id)
    for (let output = ''; !output.includes('all');)
      for await (const { line } of containers.logs(id, { ...LOGS, follow: true })) {
        output += line.toString()
        if (output.includes('all')) break
      }
    const { memoryUsageBytes } = await containers.stats(id)
    assert.ok(memoryUsageBytes < 8 * 1024 * 1024, `${memoryUsageBytes} of ${limit}, with 20 MB of files`)
    await remove(id)
  })
})

const LOGS = { stdout: true, stderr: true, sinceNs: null, untilNs: null, tail: null }

/** Through the process itself, as another process in the container would. */
function readInside(box: TestEngine, id: string): string {
  const { pid } = box.engine().containers.get(id).status
  const words = ['--target', String(pid), '--mount', '--root', '/bin/cat', '/run/secrets/password']
  return spawnSync('nsenter', words, { encoding: 'utf8' }).stdout
}

test('files in memory belong to the users that the container sees, where those are others on the host', async () => {
  using ranges = givenRanges()
  await using box = await testEngine(['--userns-remap', ranges.user])
  const id = await box.create(`stat -c '%u %g %a' ${TARGETS}; cat ${TARGETS}`, FILES)
  assert.equal((await box.finish(id)).output, `0 0 444\n1000 1000 400\n0 1000 440\n${MARK}\n${MARK} key\nport = 80\n`)
  assert.equal(statSync(join(box.runDir, 'memory', id, '1')).uid, ranges.first + 1000)
  assert.equal(statSync(join(box.runDir, 'memory', id)).mode & 0o777, 0o710)
  await assert.rejects(box.create('true', [{ ...(FILES[0] as MemoryFile), uid: 70_000 }]), {
    code: 'container.memory_file_invalid',
  })
})
