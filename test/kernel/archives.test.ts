import assert from 'node:assert/strict'
import { lstatSync, mkdirSync, mkdtempSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'

import { eachClient } from '../client/each-client.ts'
import { archiveCall, archivePath, unpacked } from './archives-http.ts'
import { tarOf } from './snapshots-fixture.ts'

const MODE_DIRECTORY = 2 ** 31
const MODE_SYMLINK = 2 ** 27

const MAKE = [
  'mkdir -p /d/e',
  'echo file > /d/e/f',
  'ln /d/e/f /d/hard',
  'ln -s /d/e /ld',
  'ln -s /nowhere/at/all /broken',
  'chown 1000:2000 /d/e/f',
  'chmod 4751 /d/e/f',
  'echo volume > /data/v',
  'mkfifo /d/fifo',
]

eachClient('copying files', (bench) => {
  const place = () => mkdtempSync(join(bench().daemon.directory, 'cp-'))
  const box = async (...flags: readonly string[]) => {
    const { docker } = bench()
    const script = [...MAKE, 'sleep 1000'].join('; ')
    await docker.must('run', '-d', '--name', 'copied', '-v', '/data', ...flags, 'busybox', 'sh', '-c', script)
    await docker.must('exec', 'copied', 'sh', '-c', 'while ! test -p /d/fifo; do usleep 1000; done')
  }
  /** Once while it runs, and once when it has stopped. */
  const inBothStates = async (check: (state: string) => Promise<void>) => {
    const { docker } = bench()
    await box()
    await check('running')
    await docker.must('kill', 'copied')
    await check('stopped')
    await docker.must('rm', '--force', '--volumes', 'copied')
  }

  test('files, directories and links come out of a running and of a stopped container', async () => {
    const { docker } = bench()
    await inBothStates(async (state) => {
      const to = place()
      await docker.must('cp', 'copied:/d/e/f', join(to, 'file'))
      assert.equal(readFileSync(join(to, 'file'), 'utf8'), 'file\n', state)
      await docker.must('cp', 'copied:/d', join(to, 'tree'))
      assert.equal(statSync(join(to, 'tree/hard')).ino, statSync(join(to, 'tree/e/f')).ino)
      assert.equal(statSync(join(to, 'tree/e/f')).mode & 0o7777, 0o4751)
      assert.ok(lstatSync(join(to, 'tree/fifo')).isFIFO())
      await docker.must('cp', 'copied:/ld', join(to, 'link'))
      assert.equal(readlinkSync(join(to, 'link')), '/d/e')
      await docker.must('cp', '-L', 'copied:/ld', join(to, 'followed'))
      assert.equal(readFileSync(join(to, 'followed/f'), 'utf8'), 'file\n')
      await docker.must('cp', 'copied:/ld/.', join(to, 'inside'))
      assert.equal(readFileSync(join(to, 'inside/f'), 'utf8'), 'file\n')
      await docker.must('cp', 'copied:/data/v', join(to, 'volume'))
      assert.equal(readFileSync(join(to, 'volume'), 'utf8'), 'volume\n', `the volume of a ${state} container`)
      const missing = await docker('cp', 'copied:/none', to)
      assert.equal(missing.code, 1)
      assert.match(missing.stderr, /No such container:path: copied:\/none|Could not find the file \/none in container copied/)
    })
  })

  test('files and directories go into a running and into a stopped container', async () => {
    const { docker } = bench()
    const from = place()
    mkdirSync(join(from, 'tree/sub'), { recursive: true })
    writeFileSync(join(from, 'tree/sub/one'), 'one\n', { mode: 0o640 })
    symlinkSync('sub/one', join(from, 'tree/link'))
    await inBothStates(async (state) => {
      await docker.must('cp', join(from, 'tree'), 'copied:/in')
      await docker.must('cp', join(from, 'tree/sub/one'), 'copied:/in/renamed')
      await docker.must('cp', join(from, 'tree'), 'copied:/data')
      await docker.must('cp', '-L', join(from, 'tree/link'), 'copied:/ld/through')
      const refused = await docker('cp', join(from, 'tree'), 'copied:/in/renamed')
      assert.equal(refused.code, 1)
      assert.match(refused.stderr, /cannot copy directory/)
      if (state === 'stopped') await docker.must('start', 'copied')
      const listed = await docker.must(
        'exec',
        'copied',
        'sh',
        '-c',
        'cat /in/sub/one /in/link /in/renamed /data/tree/sub/one /d/e/through; stat -c %a:%u /in/sub/one',
      )
      assert.equal(listed, 'one\none\none\none\none\n640:0', state)
      await docker.must('exec', 'copied', 'rm', '-rf', '/in', '/data/tree', '/d/e/through')
    })
  })

  test('a container that never ran takes files for its start', async () => {
    const { docker } = bench()
    const from = place()
    writeFileSync(join(from, 'script'), 'echo from the script\n')
    await docker.must('create', '--name', 'copied', '-v', '/some/volume', 'busybox', 'sh', '/some/volume/script')
    await docker.must('cp', join(from, 'script'), 'copied:/some/volume')
    assert.equal(await docker.must('start', '--attach', 'copied'), 'from the script')
    await docker.must('rm', '--volumes', 'copied')
  })

  test('streams go both ways, plain and compressed', async () => {
    const { docker } = bench()
    await box()
    const tar = tarOf([{ path: 'a/b', body: 'streamed' }])
    await docker.with({ input: tar }, 'cp', '-', 'copied:/tmp')
    const { socketPath } = bench().daemon
    assert.equal((await archiveCall(socketPath, 'PUT', archivePath('copied', '/data'), gzipSync(tar))).status, 200)
    assert.equal(await docker.must('exec', 'copied', 'cat', '/tmp/a/b', '/data/a/b'), 'streamedstreamed')
    const out = await archiveCall(socketPath, 'GET', archivePath('copied', '/tmp/a'))
    assert.deepEqual(
      [...unpacked(out.body)],
      [
        ['a', ''],
        ['a/b', 'streamed'],
      ],
    )
    await docker.must('rm', '--force', '--volumes', 'copied')
  })

  test('the answer to HEAD says what lies there in the numbers of Go', async () => {
    const { socketPath } = bench().daemon
    await inBothStates(async () => {
      const stat = async (path: string) => (await archiveCall(socketPath, 'HEAD', archivePath('copied', path))).stat
      const file = await stat('d/e/f')
      assert.deepEqual([file.name, file.size, file.mode, file.linkTarget], ['f', 5, 2 ** 23 + 0o751, ''])
      assert.match(file.mtime, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/)
      assert.equal((await stat('/d/')).mode, MODE_DIRECTORY + 0o755)
      const link = await stat('/ld')
      assert.deepEqual([link.name, link.mode, link.linkTarget], ['ld', MODE_SYMLINK + 0o777, '/d/e'])
      assert.equal((await stat('/ld/')).mode, MODE_DIRECTORY + 0o755)
      assert.equal((await stat('/broken')).linkTarget, '/nowhere')
      assert.equal((await stat('/../../d/e')).name, 'e')
      assert.equal((await archiveCall(socketPath, 'HEAD', archivePath('copied', '/none'))).status, 404)
    })
  })

  test('owners come from the archive, and with --archive are those of the container', async () => {
    const { docker } = bench()
    const { socketPath } = bench().daemon
    await docker.must('run', '-d', '--name', 'copied', '--user', 'app', '--tmpfs', '/tmp', 'busybox', 'sleep', '1000')
    const tar = tarOf([{ path: 'mine', uid: 77, gid: 78, mode: 0o4755, body: 'x' }])
    const put = async (copyUIDGID: string) =>
      assert.equal((await archiveCall(socketPath, 'PUT', archivePath('copied', '/tmp', { copyUIDGID }), tar)).status, 200)
    await put('0')
    assert.equal(await docker.must('exec', 'copied', 'stat', '-c', '%u:%g:%a', '/tmp/mine'), '77:78:4755')
    await put('1')
    assert.equal(await docker.must('exec', 'copied', 'stat', '-c', '%u:%g:%a', '/tmp/mine'), '1000:1000:4755')
    await docker.must('rm', '--force', '--volumes', 'copied')
  })

  test('kinds are kept when asked for, and replaced when not', async () => {
    const { socketPath } = bench().daemon
    await box()
    const { docker } = bench()
    const over = tarOf([{ path: 'd', body: 'now a file' }])
    const refused = await archiveCall(socketPath, 'PUT', archivePath('copied', '/', { noOverwriteDirNonDir: 'true' }), over)
    assert.equal(refused.status, 400)
    assert.match(refused.body.toString(), /cannot overwrite directory with non-directory \\"d\\"/)
    assert.equal((await archiveCall(socketPath, 'PUT', archivePath('copied', '/'), over)).status, 200)
    assert.equal(await docker.must('exec', 'copied', 'cat', '/d'), 'now a file')
    const into = await archiveCall(socketPath, 'PUT', archivePath('copied', '/d'), over)
    assert.deepEqual([into.status, /is not a directory/.test(into.body.toString())], [400, true])
    await docker.must('rm', '--force', '--volumes', 'copied')
  })

  test('what is read-only stays as it is, running or not', async () => {
    const { docker } = bench()
    const { socketPath } = bench().daemon
    const host = place()
    const tar = tarOf([{ path: 'new', body: 'x' }])
    await docker.must(
      'run',
      '-d',
      '--name',
      'copied',
      '--read-only',
      '-v',
      `${host}:/host:ro`,
      '-v',
      '/data',
      'busybox',
      'sleep',
      '1000',
    )
    for (const state of ['running', 'stopped']) {
      const put = async (path: string) => await archiveCall(socketPath, 'PUT', archivePath('copied', path), tar)
      const [root, volume, free] = [await put('/etc'), await put('/host'), await put('/data')]
      assert.deepEqual([root.status, volume.status, free.status], [403, 403, 200], state)
      assert.match(root.body.toString(), /container rootfs is marked read-only/)
      assert.match(volume.body.toString(), /mounted volume is marked read-only/)
      await docker.must('kill', 'copied').catch(() => undefined)
    }
    await docker.must('rm', '--force', '--volumes', 'copied')
  })

  test('a full file system is told as such, and no half of a file stays', async () => {
    const { docker } = bench()
    const { socketPath } = bench().daemon
    await box('--tmpfs', '/small:size=64k')
    const full = await archiveCall(
      socketPath,
      'PUT',
      archivePath('copied', '/small'),
      tarOf([{ path: 'big', body: 'x'.repeat(300_000) }]),
    )
    assert.equal(full.status, 503)
    assert.match(full.body.toString(), /write big: ENOSPC: no space left on device/)
    assert.equal(await docker.must('exec', 'copied', 'ls', '/small'), '')
    await docker.must('rm', '--force', '--volumes', 'copied')
  })

  test('device nodes are made only for a container that could make them, and never a deletion of overlayfs', async () => {
    const { docker } = bench()
    const { socketPath } = bench().daemon
    const node = (devMajor: number, devMinor: number) => tarOf([{ path: 'node', type: 'char', mode: 0o600, devMajor, devMinor }])
    const put = async (tar: Buffer) => (await archiveCall(socketPath, 'PUT', archivePath('copied', '/tmp'), tar)).status
    await box()
    assert.deepEqual([await put(node(1, 3)), await put(node(0, 0))], [200, 403])
    await docker.must('rm', '--force', '--volumes', 'copied')
    await box('--cap-drop', 'MKNOD')
    assert.equal(await put(node(1, 3)), 403)
    await docker.must('rm', '--force', '--volumes', 'copied')
  })

  test('an archive that leads out or is cut off is refused', async () => {
    const { docker } = bench()
    const { socketPath } = bench().daemon
    await box()
    const put = async (tar: Buffer) => (await archiveCall(socketPath, 'PUT', archivePath('copied', '/tmp'), tar)).status
    assert.equal(await put(tarOf([{ path: '../../etc/led', body: 'out' }])), 400)
    assert.equal(await put(tarOf([{ path: 'cut', body: 'x'.repeat(4096) }]).subarray(0, 2048)), 400)
    assert.equal(await put(Buffer.from('no archive at all'.repeat(100))), 400)
    await docker.must('rm', '--force', '--volumes', 'copied')
  })

  test('who goes away in the middle leaves nothing locked', async () => {
    const { docker, daemon } = bench()
    await docker.must('create', '--name', 'copied', 'busybox', 'true')
    const call = request({ socketPath: daemon.socketPath, method: 'PUT', path: archivePath('copied', '/tmp') })
    call.on('error', () => undefined)
    await new Promise((resolve) =>
      call.write(tarOf([{ path: 'big', body: 'x'.repeat(1_000_000) }]).subarray(0, 200_000), resolve),
    )
    call.destroy()
    assert.equal(await docker.must('start', '--attach', 'copied'), '')
    await docker.must('rm', 'copied')
  })

  test('a commit is an image with the changes, the configuration and a history', async () => {
    const { docker } = bench()
    await docker.must(
      'run',
      '--name',
      'copied',
      '-e',
      'A=1',
      '--label',
      'l=1',
      'busybox',
      'sh',
      '-c',
      'echo kept > /kept; rm /etc/notes',
    )
    const id = await docker.must(
      'commit',
      '-a',
      'An Author',
      '-m',
      'a message',
      '-c',
      'CMD ["cat", "/kept"]',
      '-c',
      'ENV B=2',
      'copied',
      'made:1',
    )
    assert.match(id, /^sha256:[0-9a-f]{64}$/)
    assert.equal(await docker.must('run', '--rm', 'made:1'), 'kept')
    assert.equal((await docker('run', '--rm', 'made:1', 'ls', '/etc/notes')).code, 1)
    const image = await docker.inspect('made:1')
    assert.deepEqual([image.Author, image.Comment, image.Config.Labels.l], ['An Author', 'a message', '1'])
    assert.ok(image.Config.Env.includes('A=1') && image.Config.Env.includes('B=2'))
    assert.match(
      await docker.must('history', '--no-trunc', '--format', '{{.CreatedBy}}|{{.Comment}}', 'made:1'),
      /^sh -c echo kept > \/kept; rm \/etc\/notes\|a message$/m,
    )
    await docker.must('rm', 'copied')
    await docker.must('rmi', 'made:1')
  })

  test('a commit of a running container holds it still, and lets it go on', async () => {
    const { docker } = bench()
    await box()
    const since = await docker.must('exec', 'copied', 'date', '+%s')
    await docker.must('commit', 'copied', 'made')
    assert.equal((await docker.inspect('copied')).State.Status, 'running')
    const events = await docker.must(
      'events',
      '--since',
      since,
      '--until',
      String(Number(since) + 3),
      '--filter',
      'container=copied',
      '--format',
      '{{.Action}}',
    )
    assert.match(events, /pause\n(?:.*\n)*?(?:unpause\n)?(?:.*\n)*?commit/)
    assert.match(events, /unpause/)
    assert.equal(await docker.must('run', '--rm', 'made', 'cat', '/d/e/f'), 'file')
    const bad = await docker('commit', '-c', 'RUN true', 'copied')
    assert.equal(bad.code, 1)
    assert.match(bad.stderr, /RUN is not a valid change command/)
    await docker.must('rm', '--force', '--volumes', 'copied')
    await docker.must('rmi', 'made')
  })
})
