import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { run } from '../support/processes.ts'
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

  test('options of the local driver are mounted while a container runs, and what cannot be mounted says why', async () => {
    const { docker, daemon } = bench()
    const opts = (...pairs: readonly string[]) => pairs.flatMap((pair) => ['--opt', pair])
    await docker.must('volume', 'create', ...opts('type=tmpfs', 'device=tmpfs', 'o=size=2m,uid=1000'), 'memory')
    const seen = await docker.must(
      'run',
      '--rm',
      '-v',
      'memory:/m',
      'busybox',
      'sh',
      '-c',
      'grep " /m " /proc/mounts; stat -c %u /m',
    )
    assert.match(seen, /^tmpfs \/m tmpfs .*size=2048k.*\n1000$/s)
    const source = join(daemon.directory, 'elsewhere')
    mkdirSync(source)
    writeFileSync(join(source, 'file'), 'outside')
    await docker.must('volume', 'create', ...opts('type=none', `device=${source}`, 'o=bind'), 'bound')
    assert.equal(await docker.must('run', '--rm', '-v', 'bound:/b', 'busybox', 'cat', '/b/file'), 'outside')
    await docker.must('volume', 'rm', 'bound', 'memory')
    assert.equal(readFileSync(join(source, 'file'), 'utf8'), 'outside')
    await docker.must('volume', 'create', ...opts('type=nfs', 'device=:/export', 'o=addr=127.0.0.1'), 'remote')
    const refused = await docker('run', '--rm', '-v', 'remote:/r', 'busybox', 'true')
    assert.match(
      refused.stderr,
      /error while mounting volume 'remote': failed to mount local volume: mount type=nfs device=:\/export/,
    )
    await docker.must('volume', 'rm', 'remote')
    assert.match((await docker('volume', 'create', ...opts('o=bind'), 'x')).stderr, /missing required option: "type"/)
    assert.match((await docker('volume', 'create', ...opts('size=1g'), 'x')).stderr, /"size" needs quotas/)
  })

  test('a subpath of a volume is mounted, and no link in it leads out', async (t) => {
    const { docker } = bench()
    if (!docker.path.startsWith('/usr/local')) return t.skip('this client knows no subpaths')
    const make = 'mkdir -p /v/a; echo inside > /v/a/file; ln -s /etc /v/out; ln -s ../../../../../../etc /v/up; ln -s a /v/fine'
    await docker.must('run', '--rm', '-v', 'parts:/v', 'busybox', 'sh', '-c', make)
    const see = (subpath: string) =>
      docker('run', '--rm', '--mount', `type=volume,src=parts,dst=/m,volume-subpath=${subpath}`, 'busybox', 'cat', '/m/file')
    for (const subpath of ['a', 'fine']) assert.equal((await see(subpath)).stdout, 'inside\n')
    for (const subpath of ['out', 'up', 'missing']) assert.match((await see(subpath)).stderr, /does not exist in it/)
    assert.match((await see('../parts')).stderr, /relative path within the volume/)
    await docker.must('volume', 'rm', 'parts')
  })

  test('a read-only bind covers what is mounted below it, unless it was not to', async (t) => {
    const { docker, daemon } = bench()
    const source = join(daemon.directory, 'tree')
    mkdirSync(join(source, 'below'), { recursive: true })
    const inside = (...words: readonly string[]) => run('nsenter', [`--mount=${join(daemon.directory, 'run/ns/mnt')}`, ...words])
    assert.equal((await inside('mount', '-t', 'tmpfs', 'below', join(source, 'below'))).code, 0)
    try {
      const touch = async (...flags: readonly string[]) =>
        (await docker('run', '--rm', ...flags, 'busybox', 'touch', '/t/below/x')).code
      assert.equal(await touch('-v', `${source}:/t`), 0)
      assert.equal(await touch('-v', `${source}:/t:ro`), 1)
      if (!docker.path.startsWith('/usr/local')) return t.diagnostic('this client cannot ask for less')
      const mount = (more: string) => ['--mount', `type=bind,src=${source},dst=/t,${more}`]
      assert.equal(await touch(...mount('readonly,bind-recursive=writable')), 0)
      assert.equal(await touch(...mount('readonly,bind-recursive=readonly,bind-propagation=rprivate')), 1)
      const flat = await docker.must('run', '--rm', ...mount('bind-recursive=disabled'), 'busybox', 'cat', '/proc/mounts')
      assert.doesNotMatch(flat, /below/)
    } finally {
      await inside('umount', join(source, 'below'))
    }
  })

  test('a propagation that could not work is refused', async () => {
    const { docker } = bench()
    const refused = await docker('run', '--rm', '-v', '/proc/self:/p:rshared', 'busybox', 'true')
    assert.match(refused.stderr, /is mounted on \/proc but it is not a shared mount/)
  })

  test('a volume that somebody has mounted is filled in place', async () => {
    const { docker } = bench()
    await docker.must('run', '-d', '--name', 'early', '-v', 'late:/empty', 'busybox', 'sleep', '100')
    await docker.must('run', '--rm', '-v', 'late:/etc', 'busybox', 'true')
    assert.match(await docker.must('exec', 'early', 'ls', '/empty'), /notes/)
    await docker.must('exec', 'early', 'touch', '/empty/mine')
    await docker.must('rm', '-f', 'early')
    await docker.must('volume', 'rm', 'late')
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
