import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { run } from '../support/processes.ts'
import { type Survivor, survivor } from './survival-fixture.ts'

const ROUNDS = 6

let s: Survivor

before(async () => {
  s = await survivor()
  await s.start()
  await s.importImage()
})
after(async () => await s.dispose())

const pause = async (ms: number) => await new Promise((resolve) => setTimeout(resolve, ms))

/** Begins, kills the daemon at each of several moments, and looks at what the next one shows. */
async function killDuring(moments: readonly number[], begin: (round: number) => Promise<unknown>): Promise<void> {
  for (const [round, ms] of moments.entries()) {
    const begun = begin(round).catch(() => undefined)
    await pause(ms)
    await s.kill()
    await begun
    await s.start()
    await s.expectNoLeaks()
  }
}

/** A tree of this many files as a tar. */
async function treeTar(name: string, files: number, bytes: number): Promise<string> {
  const directory = join(s.directory, name, 'data')
  mkdirSync(directory, { recursive: true })
  for (let index = 0; index < files; index += 1) writeFileSync(join(directory, `file-${index}`), Buffer.alloc(bytes, index % 256))
  const tar = join(s.directory, `${name}.tar`)
  await run('tar', ['-C', join(s.directory, name), '-cf', tar, '.'])
  return tar
}

const blobs = () => readdirSync(join(s.directory, 'root/content/blobs/sha256')).toSorted()
const layers = () => readdirSync(join(s.directory, 'root/snapshots/layers')).toSorted()

test('an import that the daemon did not survive leaves no image, no blob and no layer, and works when tried again', async () => {
  const tar = await treeTar('wide', 3000, 4096)
  const before = { blobs: blobs(), layers: layers() }
  const moments = Array.from({ length: ROUNDS }, (_, round) => 20 + round * 35)
  for (const ms of moments) {
    await killDuring([ms], async () => await s.docker('import', tar, 'wide'))
    const isThere = (await s.must('images', '-q', 'wide')) !== ''
    if (isThere) await s.must('rmi', 'wide')
    assert.deepEqual({ blobs: blobs(), layers: layers() }, before, `killed after ${ms} ms, ${isThere ? 'made' : 'half-made'}`)
  }
  await s.must('import', tar, 'wide')
  assert.equal(await s.must('run', '--rm', '-v', join(s.directory, 'nothing') + ':/x', 'busybox', 'echo', 'fine'), 'fine')
  await s.must('rmi', 'wide')
  await s.expectNoLeaks()
})

test('a build that the daemon did not survive leaves no image, container or mount', async () => {
  const context = join(s.directory, 'context')
  mkdirSync(context)
  writeFileSync(join(context, 'Dockerfile'), 'FROM busybox\nRUN echo one > /one\nRUN sleep 0.2; echo two > /two\nRUN sleep 30\n')
  await killDuring([30, 80, 200, 400, 700], async () => await s.docker('build', '-q', '-t', 'built', context))
  assert.equal(await s.must('images', '-q', 'built'), '')
  assert.equal(await s.must('ps', '-aq'), '')
})

test('a creation that the daemon did not survive leaves no container and no volume', async () => {
  const directory = join(s.directory, 'filled')
  mkdirSync(directory)
  const data = await treeTar('many', 2000, 100)
  writeFileSync(join(directory, 'Dockerfile'), 'FROM busybox\nADD many.tar /\nVOLUME /data\n')
  await run('cp', [data, directory])
  await s.must('build', '-q', '-t', 'filled', directory)
  for (const ms of [5, 15, 30, 45, 60, 90]) {
    await killDuring([ms], async () => await s.api('POST', '/containers/create?name=half', { Image: 'filled', Cmd: ['true'] }))
    const isThere = (await s.status('GET', '/containers/half/json')).status === 200
    if (isThere) {
      assert.equal(await s.must('run', '--rm', '--volumes-from', 'half', 'busybox', 'sh', '-c', 'ls /data | wc -l'), '2000')
      await s.must('rm', '-v', 'half')
    }
    assert.equal(await s.must('volume', 'ls', '-q'), '', `killed after ${ms} ms`)
  }
  await s.expectNoLeaks()
})

test('a removal that the daemon did not survive is finished by the next one or can be asked for again', async () => {
  for (const ms of [0, 1, 2, 4, 6, 9]) {
    await s.must('run', '-d', '--name', 'going', '-v', '/data', 'busybox', 'sleep', '1000')
    await killDuring([ms], async () => await s.api('DELETE', '/containers/going?force=1&v=1'))
    if ((await s.status('GET', '/containers/going/json')).status === 200) await s.must('rm', '-f', '-v', 'going')
    assert.equal(await s.must('volume', 'ls', '-q'), '', `killed after ${ms} ms`)
    await s.expectNoLeaks()
  }
})

test('a start that the daemon did not survive is either taken over or undone', async () => {
  const moments = [0, 3, 6, 9, 12, 16, 20, 30]
  for (const ms of moments) {
    await s.api('POST', '/containers/create?name=rising', {
      Image: 'busybox',
      Cmd: ['sleep', '1000'],
      HostConfig: { PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1' }] } },
    })
    await killDuring([ms], async () => await s.api('POST', '/containers/rising/start'))
    const { State, NetworkSettings } = await s.inspect('rising')
    assert.ok(['created', 'running'].includes(State.Status), State.Status)
    if (State.Running) {
      assert.notEqual(NetworkSettings.Networks['bridge']?.IPAddress, '', `killed after ${ms} ms`)
      assert.equal(NetworkSettings.Ports['80/tcp']?.length, 1, `killed after ${ms} ms`)
      assert.equal(await s.must('exec', 'rising', 'echo', 'up'), 'up')
    } else await s.must('start', 'rising')
    await s.must('rm', '-f', 'rising')
  }
  await s.expectNoLeaks()
})
