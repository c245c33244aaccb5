import assert from 'node:assert/strict'
import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, before, test } from 'node:test'

import { busyboxImage, startTestDaemon, type TestDaemon } from './daemon-fixture.ts'
import { tarOf } from './snapshots-fixture.ts'

const IMAGE = 'driver:1'
const TIMEOUT = { timeout: 60_000 }

const TITLES = {
  erofs: /: erofs\. .* mounted in place/,
  directory: /: directory\. .* because the configuration says so/,
}
/** What is in the image beside the shell: each thing that a layer can get wrong. */
const CONTENT = [
  { path: 'srv', type: 'directory', mode: 0o750, uid: 1000, gid: 1000 },
  { path: 'srv/keep', mode: 0o640, uid: 1000, gid: 1000, body: 'kept' },
  { path: 'srv/gone', mode: 0o644, body: 'goes' },
  { path: 'srv/link', type: 'symlink', linkname: 'keep' },
  { path: 'srv/sub', type: 'directory', mode: 0o755 },
  { path: 'srv/sub/deep', mode: 0o644, body: 'deep' },
] as const

const CHANGE = 'rm srv/gone && rm -r srv/sub && mkdir srv/sub && echo new > srv/sub/new && chmod 600 srv/keep'

/** The whole daemon on one way of keeping layers. */
export function driverExam(layers: 'erofs' | 'directory'): void {
  let daemon: TestDaemon
  const mustRun = async (image: string, script: string, more = {}) => {
    const { exitCode, output, id } = await daemon.run(image, ['sh', '-c', script], more)
    assert.equal(exitCode, 0, output)
    return { output, id }
  }

  const build = async (tag: string, dockerfile: string) => {
    const context = tarOf([
      { path: 'Dockerfile', body: dockerfile },
      { path: 'given', body: 'given' },
    ])
    let said = ''
    for await (const line of daemon.client.images.build(Readable.from([context], { objectMode: false }), { t: tag }))
      said += JSON.stringify(line)
    assert.match(said, /Successfully tagged/, said)
    return said
  }

  before(async () => {
    daemon = await startTestDaemon(['--layers', layers])
    await daemon.importImage(IMAGE, busyboxImage(CONTENT))
  }, TIMEOUT)
  after(async () => await daemon.dispose(), TIMEOUT)

  test(`the doctor says that layers are kept as ${layers}, and the files are so`, TIMEOUT, async () => {
    const finding = (await daemon.client.glovebox.doctor()).find(({ id }) => id === 'engine.snapshots')
    assert.match(finding?.what ?? '', TITLES[layers])
    const directory = join(daemon.root, 'snapshots/layers')
    const [layer = ''] = readdirSync(directory)
    assert.equal(readdirSync(join(directory, layer)).includes('index.erofs'), layers === 'erofs')
  })

  test(`a container sees the image as it was packed (${layers})`, TIMEOUT, async () => {
    const { output } = await mustRun(IMAGE, 'stat -c "%n %a %u:%g" srv srv/keep srv/sub && readlink srv/link && cat srv/link')
    assert.deepEqual(output.split('\n'), ['srv 750 1000:1000', 'srv/keep 640 1000:1000', 'srv/sub 755 0:0', 'keep', 'kept'])
  })

  test(`what a container changed is told, deletions too (${layers})`, TIMEOUT, async () => {
    const { id } = await mustRun(IMAGE, CHANGE)
    const changes = await daemon.call<readonly { Path: string; Kind: number }[]>('GET', `/containers/${id}/changes`)
    const told = new Map(changes.map(({ Path, Kind }) => [Path, Kind]))
    assert.deepEqual(
      ['/srv/gone', '/srv/keep', '/srv/sub/new', '/srv/sub/deep', '/srv/link'].map((path) => told.get(path)),
      [2, 0, 1, 2, undefined],
    )
  })

  test(`what a step of a build changed becomes a layer, deletions too (${layers})`, TIMEOUT, async () => {
    await build('driver:2', `FROM ${IMAGE}\nRUN ${CHANGE}\n`)
    const { output } = await mustRun('driver:2', 'ls srv srv/sub && stat -c %a srv/keep')
    assert.deepEqual(output.trim().split('\n'), ['srv:', 'keep', 'link', 'sub', '', 'srv/sub:', 'new', '600'])
  })

  test(`a build runs, copies and reuses its layers (${layers})`, TIMEOUT, async () => {
    const made = 'RUN echo made > /srv/made && rm /srv/gone'
    const dockerfile = `FROM ${IMAGE}\nCOPY --chown=1000 given /srv/given\n${made}\nFROM ${IMAGE}\nCOPY --from=0 /srv /srv2\n`
    assert.doesNotMatch(await build('driver:built', dockerfile), /Using cache/)
    const { output } = await mustRun(
      'driver:built',
      'ls srv2 && cat srv2/given srv2/made && stat -c %u srv2/given && cat srv/gone',
    )
    assert.deepEqual(output.split('\n'), ['given', 'keep', 'link', 'made', 'sub', 'givenmade', '1000', 'goes'])
    assert.match(await build('driver:built', dockerfile), /Using cache/)
  })

  test(`an empty volume takes what the image has there, owners and modes included (${layers})`, TIMEOUT, async () => {
    const HostConfig = { Mounts: [{ Type: 'volume', Source: 'data', Target: '/srv' }] }
    const { output } = await mustRun(IMAGE, 'cat srv/keep srv/sub/deep && echo mine > srv/mine', { HostConfig })
    assert.equal(output, 'keptdeep')
    const data = join(daemon.root, 'volumes/data/_data')
    assert.equal(readFileSync(join(data, 'mine'), 'utf8'), 'mine\n')
    const kept = lstatSync(join(data, 'keep'))
    assert.deepEqual([kept.uid, kept.gid, kept.mode & 0o777], [1000, 1000, 0o640])
    assert.deepEqual([lstatSync(data).uid, lstatSync(data).mode & 0o777], [1000, 0o750])
    assert.equal((await mustRun(IMAGE, 'cat srv/mine', { HostConfig })).output, 'mine\n')
  })

  test(
    `a killed daemon that comes back with the other driver has its images, its containers and what they wrote (${layers})`,
    TIMEOUT,
    async () => {
      const id = await daemon.start(IMAGE, ['sh', '-c', 'echo written > /srv/new; sleep 1000'], { StopTimeout: 0 })
      await daemon.kill()
      await daemon.launch(['--layers', layers === 'erofs' ? 'directory' : 'erofs'])
      assert.equal((await daemon.exec(id, ['cat', '/srv/new', '/srv/keep'])).output, 'written\nkept')
      await daemon.client.containers.stop(id, { t: 0 })
      await daemon.client.containers.start(id)
      assert.equal((await daemon.exec(id, ['cat', '/srv/new', '/srv/keep'])).output, 'written\nkept')
      assert.equal((await mustRun('driver:built', 'cat srv2/made')).output, 'made\n')
      assert.equal((await mustRun('driver:2', 'cat srv/sub/new')).output, 'new\n')
    },
  )
}
