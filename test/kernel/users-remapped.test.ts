import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { until } from '../support/processes.ts'
import { type Bench, startBench } from './containers-bench.ts'

const FILES = ['/etc/subuid', '/etc/subgid']
const FIRST = 300_000

/** The host's files are put back as they were. */
function giveRanges(): Disposable {
  const saved = FILES.map((path) => ({ path, text: existsSync(path) ? readFileSync(path, 'utf8') : undefined }))
  for (const path of FILES) writeFileSync(path, `daemon:${FIRST}:65536\n`)
  return {
    [Symbol.dispose]: () => {
      for (const { path, text } of saved)
        if (text === undefined) rmSync(path, { force: true })
        else writeFileSync(path, text)
    },
  }
}

describe('a daemon that maps the users of containers', () => {
  let bench: Bench
  before(async () => {
    using _ranges = giveRanges()
    bench = await startBench(['--userns-remap', 'daemon'])
  })
  after(async () => await bench.daemon.stop())

  test('root inside is somebody else outside, and the files of the image are root’s inside', async () => {
    const { docker, inside } = bench
    assert.match(await inside([], 'cat /proc/self/uid_map /proc/self/gid_map'), /^\s*0\s+300000\s+65536\n\s*0\s+300000\s+65536$/)
    const script =
      'stat -c "%u %g" /bin/busybox /etc/hosts; touch /made; chown app:app /etc/notes; stat -c "%u %g" /made /etc/notes'
    assert.equal(await inside([], script), '0 0\n0 0\n0 0\n1000 1000')
    assert.match(await docker.must('info', '--format', '{{.SecurityOptions}}'), /name=userns/)
    await docker.must('run', '-d', '--name', 'seen', 'busybox', 'sleep', '100')
    const { Pid } = (await docker.inspect('seen')).State
    assert.equal(statSync(`/proc/${Pid}`).uid, FIRST)
    assert.match(await docker.must('top', 'seen'), /300000.*sleep 100/)
    await docker.must('rm', '-f', 'seen')
  })

  test('it may do in its network what its capabilities say, and nothing in the host’s', async () => {
    const { inside } = bench
    assert.equal(
      await inside(['--cap-add', 'NET_ADMIN'], 'ip addr add 10.77.0.1/32 dev lo && ls /sys/class/net | tr "\\n" " "'),
      'eth0 lo',
    )
    assert.equal(await inside([], 'nc -l -p 80 & sleep 0.2; kill $! && echo bound'), 'bound')
    assert.equal(await inside(['--domainname', 'example.org'], 'cat /proc/sys/kernel/domainname'), 'example.org')
    assert.equal(await inside(['--tmpfs', '/t'], 'touch /t/x && mount | grep -c " /t "'), '1')
    assert.match(
      await inside(
        [],
        'cat /proc/1/uid_map; echo 1 > /proc/sys/kernel/core_pattern || echo kept; mknod /dev/sda b 8 0 || echo none',
      ),
      /kept\nnone/,
    )
  })

  test('copies go in and out with the owners that the container knows, running or not', async () => {
    const { docker, daemon } = bench
    await docker.must('run', '-d', '--name', 'box', 'busybox', 'sleep', '100')
    writeFileSync(join(daemon.directory, 'file'), 'text\n')
    await docker.must('cp', join(daemon.directory, 'file'), 'box:/tmp/file')
    assert.equal(await docker.must('exec', 'box', 'stat', '-c', '%u %g', '/tmp/file'), '0 0')
    await docker.must('exec', 'box', 'chown', 'app:app', '/tmp/file')
    const owner = async () => {
      const { stdout } = await docker.with({}, 'cp', 'box:/tmp/file', '-')
      return Number.parseInt(stdout.slice(108, 116), 8)
    }
    assert.equal(await owner(), 1000)
    await docker.must('stop', '--time', '0', 'box')
    assert.equal(await owner(), 1000)
    await docker.must('commit', 'box', 'saved')
    await docker.must('start', 'box')
    assert.equal(await docker.must('exec', 'box', 'stat', '-c', '%u', '/tmp/file'), '1000')
    assert.match(await docker.must('diff', 'box'), /^A \/tmp\/file$/m)
    await docker.must('rm', '-f', 'box')
    assert.equal(await docker.must('run', '--rm', 'saved', 'stat', '-c', '%u', '/tmp/file'), '1000')
    assert.equal(await docker.must('run', '--rm', '--userns', 'host', 'saved', 'stat', '-c', '%u', '/tmp/file'), '1000')
  })

  test('a volume lies on the disk as the container’s users are on the host', async () => {
    const { docker, daemon, inside } = bench
    assert.equal(await inside(['-v', 'kept:/home/app'], 'touch /home/app/x && stat -c %u /home/app /home/app/x'), '0\n0')
    const data = join(daemon.directory, 'root/volumes/kept/_data')
    assert.deepEqual([statSync(data).uid, statSync(join(data, 'x')).uid], [FIRST, FIRST])
    assert.equal(await inside(['--userns', 'host', '-v', 'kept:/v'], 'stat -c %u /v/x'), String(FIRST))
    await docker.must('volume', 'rm', 'kept')
  })

  test('namespaces are shared among those of one user namespace, and --userns=host leaves a container out', async () => {
    const { docker, inside, refused } = bench
    await docker.must(
      'run',
      '-d',
      '--name',
      'peer',
      '--ipc',
      'shareable',
      'busybox',
      'sh',
      '-c',
      'echo hi > /dev/shm/x; exec sleep 4567',
    )
    assert.match(await inside(['--pid', 'container:peer'], 'ps'), /sleep 4567/)
    assert.equal(
      await inside(['--network', 'container:peer', '--cap-add', 'NET_ADMIN'], 'ip addr add 10.78.0.1/32 dev lo && echo own'),
      'own',
    )
    await until('the file', 3000, async () => ((await docker('exec', 'peer', 'cat', '/dev/shm/x')).code === 0 ? true : undefined))
    assert.equal(await inside(['--ipc', 'container:peer'], 'cat /dev/shm/x'), 'hi')
    await docker.must('rm', '-f', 'peer')
    assert.match(await inside(['--userns', 'host'], 'cat /proc/self/uid_map'), /^\s*0\s+0\s+4294967295$/)
    assert.match(
      await refused('--privileged', 'busybox', 'true'),
      /^125: .*privileged mode is incompatible with user namespaces/s,
    )
    assert.match(await refused('--network', 'host', 'busybox', 'true'), /^125: .*cannot share the host's network namespace/s)
    assert.match(await refused('--pid', 'host', 'busybox', 'true'), /^125: .*cannot share the host PID namespace/s)
    assert.equal(await inside(['--privileged', '--userns', 'host', '--pid', 'host'], 'echo fine'), 'fine')
  })
})
