import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { eachClient } from './each-client.ts'

eachClient('mounts', (bench) => {
  test('a named volume outlives its containers, is listed with labels and refused while in use', async () => {
    const { docker } = bench()
    await docker.must('volume', 'create', '--label', 'a=b', 'data')
    await docker.must('run', '--rm', '-v', 'data:/data', 'busybox', 'sh', '-c', 'echo kept > /data/file')
    assert.equal(await docker.must('run', '--rm', '-v', 'data:/elsewhere:ro', 'busybox', 'cat', '/elsewhere/file'), 'kept')
    assert.notEqual((await docker('run', '--rm', '-v', 'data:/data:ro', 'busybox', 'touch', '/data/x')).code, 0)
    const [volume] = JSON.parse(await docker.must('volume', 'inspect', 'data'))
    assert.deepEqual([volume.Name, volume.Driver, volume.Labels.a], ['data', 'local', 'b'])
    assert.equal(readFileSync(join(volume.Mountpoint, 'file'), 'utf8'), 'kept\n')
    await docker.must('create', '--name', 'user', '-v', 'data:/data', 'busybox')
    assert.match((await docker('volume', 'rm', 'data')).stderr, /in use/)
    await docker.must('rm', 'user')
    assert.equal(await docker.must('volume', 'ls', '-q', '--filter', 'label=a=b'), 'data')
    await docker.must('volume', 'rm', 'data')
  })

  test('a new volume starts with what the image has at its place', async () => {
    const { docker } = bench()
    assert.match(await docker.must('run', '--rm', '-v', 'seeded:/etc', 'busybox', 'ls', '/etc'), /notes/)
    assert.doesNotMatch(
      await docker.must('run', '--rm', '--mount', 'type=volume,target=/etc,volume-nocopy', 'busybox', 'ls', '/etc'),
      /notes/,
    )
    await docker.must('volume', 'rm', 'seeded')
  })

  test('a directory and a file of the host are bound, writable or not', async () => {
    const { docker, daemon } = bench()
    const source = join(daemon.directory, 'bound')
    mkdirSync(source)
    writeFileSync(join(source, 'in'), 'from outside')
    assert.equal(
      await docker.must('run', '--rm', '-v', `${source}:/b`, 'busybox', 'sh', '-c', 'cat /b/in; echo inside > /b/out'),
      'from outside',
    )
    assert.equal(readFileSync(join(source, 'out'), 'utf8'), 'inside\n')
    const refused = await docker('run', '--rm', '-v', `${source}:/b:ro`, 'busybox', 'touch', '/b/x')
    assert.match(refused.stderr, /Read-only file system/)
    assert.equal(
      await docker.must(
        'run',
        '--rm',
        '--mount',
        `type=bind,source=${source}/in,target=/one/file,readonly`,
        'busybox',
        'cat',
        '/one/file',
      ),
      'from outside',
    )
    await docker.must('run', '--rm', '-v', `${join(source, 'made')}:/m`, 'busybox', 'true')
  })

  test('--tmpfs is in memory, of the size asked for', async () => {
    const { docker } = bench()
    const out = await docker.must(
      'run',
      '--rm',
      '--tmpfs',
      '/fast:size=3m,mode=1770',
      'busybox',
      'sh',
      '-c',
      'grep " /fast " /proc/mounts; stat -c %a /fast',
    )
    assert.match(out, /^tmpfs \/fast tmpfs .*size=3072k/)
    assert.match(out, /\n1770$/)
    assert.match(
      await docker.must('run', '--rm', '--shm-size', '5m', 'busybox', 'grep', '/dev/shm', '/proc/mounts'),
      /size=5120k/,
    )
  })

  test('--volumes-from shares all mounts of another container', async () => {
    const { docker } = bench()
    await docker.must('run', '--name', 'source', '-v', '/shared', 'busybox', 'sh', '-c', 'echo here > /shared/file')
    assert.equal(await docker.must('run', '--rm', '--volumes-from', 'source', 'busybox', 'cat', '/shared/file'), 'here')
    await docker.must('rm', '-v', 'source')
    assert.equal(await docker.must('volume', 'ls', '-q', '--filter', 'dangling=true'), '')
  })

  test('--read-only leaves only mounts writable', async () => {
    const { docker } = bench()
    const out = await docker('run', '--rm', '--read-only', '--tmpfs', '/tmp', 'busybox', 'sh', '-c', 'touch /tmp/a && touch /b')
    assert.match(out.stderr, /\/b: Read-only file system/)
  })

  test('volume prune takes what nobody uses', async () => {
    const { docker } = bench()
    await docker.must('create', '--name', 'holder', '-v', 'held:/x', 'busybox')
    await docker.must('volume', 'create', 'loose')
    await docker.must('volume', 'prune', '--force', ...(docker.path.startsWith('/usr/local') ? ['--all'] : []))
    assert.equal(await docker.must('volume', 'ls', '-q'), 'held')
    await docker.must('rm', 'holder')
    await docker.must('volume', 'rm', 'held')
  })

  test('files are copied in and out', async () => {
    const { docker, daemon } = bench()
    await docker.must('run', '-d', '--name', 'copy', 'busybox', 'sleep', '100')
    writeFileSync(join(daemon.directory, 'note'), 'carried')
    await docker.must('cp', join(daemon.directory, 'note'), 'copy:/root/note')
    assert.equal(await docker.must('exec', 'copy', 'cat', '/root/note'), 'carried')
    await docker.must('cp', 'copy:/root/note', join(daemon.directory, 'back'))
    assert.equal(readFileSync(join(daemon.directory, 'back'), 'utf8'), 'carried')
    await docker.must('rm', '-f', 'copy')
  })
})
