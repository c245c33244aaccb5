import assert from 'node:assert/strict'
import { test } from 'node:test'

import { until } from '../support/processes.ts'
import { eachClient } from './each-client.ts'

eachClient('docker run', (bench) => {
  test('output and errors arrive on the stream that they were written to', async () => {
    const { code, stdout, stderr } = await bench().docker('run', '--rm', 'busybox', 'sh', '-c', 'echo out; echo err >&2')
    assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: 'out\n', stderr: 'err\n' })
  })

  test('every exit code comes through', async () => {
    const codes = [0, 1, 2, 3, 42, 124, 128, 200, 254, 255]
    const seen = await Promise.all(
      codes.map(async (n) => (await bench().docker('run', '--rm', 'busybox', 'sh', '-c', `exit ${n}`)).code),
    )
    assert.deepEqual(seen, codes)
  })

  test('a command that is not there is 127, one that cannot run is 126, and --rm leaves neither behind', async () => {
    const missing = await bench().docker('run', '--rm', 'busybox', 'nosuch')
    assert.equal(missing.code, 127)
    assert.match(missing.stderr, /exec: "nosuch": executable file not found in \$PATH/)
    const denied = await bench().docker('run', '--rm', 'busybox', '/etc/notes')
    assert.equal(denied.code, 126)
    assert.match(denied.stderr, /permission denied/)
    assert.equal((await bench().docker('run', '--rm', 'busybox', '/no/such')).code, 127)
    assert.equal(await bench().docker.must('ps', '--all', '--quiet'), '')
  })

  test('what the daemon refuses is 125, with its reason', async () => {
    const image = await bench().docker('run', '--rm', 'nosuch', 'true')
    assert.equal(image.code, 125)
    const mount = await bench().docker('run', '--rm', '--mount', 'type=bind,source=/no/such,target=/x', 'busybox', 'true')
    assert.equal(mount.code, 125)
    assert.match(mount.stderr, /\/no\/such/)
    assert.equal((await bench().docker('run', '--rm', '--name', 'bad name', 'busybox', 'true')).code, 125)
    assert.equal((await bench().docker('run', '--rm', '--storage-opt', 'size=1G', 'busybox', 'true')).code, 125)
  })

  test('piped input reaches the process, and its end ends the process', async () => {
    const input = 'line\n'.repeat(50_000)
    const { code, stdout } = await bench().docker.with({ input }, 'run', '--rm', '-i', 'busybox', 'cat')
    assert.equal(code, 0)
    assert.equal(stdout.length, input.length)
  })

  test('after the input is closed the output still comes', async () => {
    const { stdout } = await bench().docker.with(
      { input: 'a\nb\n' },
      'run',
      '--rm',
      '-i',
      'busybox',
      'sh',
      '-c',
      'wc -l; sleep 0.3; echo late',
    )
    assert.match(stdout, /2\s+late/)
  })

  test('a process that does not read its input does not hold the client', async () => {
    const input = Buffer.alloc(3_000_000, 'x')
    assert.equal((await bench().docker.with({ input }, 'run', '--rm', '-i', 'busybox', 'true')).code, 0)
  })

  test('a large output arrives whole', async () => {
    const { stdout } = await bench().docker('run', '--rm', 'busybox', 'sh', '-c', 'yes 0123456789 | head -c 8000000')
    assert.equal(stdout.length, 8_000_000)
  })

  test('-d prints the id and the container goes on', async () => {
    const id = await bench().docker.must('run', '-d', '--rm', 'busybox', 'sleep', '100')
    assert.match(id, /^[0-9a-f]{64}$/)
    assert.equal((await bench().docker.inspect(id)).State.Running, true)
    await bench().docker.must('kill', id)
    await until('--rm to remove it', 5000, async () => ((await bench().docker('inspect', id)).code === 1 ? true : undefined))
  })

  test('--rm takes anonymous volumes along and leaves named ones', async () => {
    await bench().docker.must('run', '--rm', '-v', '/anonymous', '-v', 'kept:/named', 'busybox', 'true')
    const left = async () => await bench().docker.must('volume', 'ls', '--quiet')
    await until('the anonymous one to go', 5000, async () => ((await left()) === 'kept' ? true : undefined))
    await bench().docker.must('volume', 'rm', 'kept')
  })

  test('--cidfile and --name name what runs', async () => {
    const file = `${bench().daemon.directory}/cid`
    await bench().docker.must('run', '--cidfile', file, '--name', 'named', 'busybox', 'true')
    const taken = await bench().docker('run', '--name', 'named', 'busybox', 'true')
    assert.equal(taken.code, 125)
    assert.match(taken.stderr, /already in use/)
    await bench().docker.must('rm', 'named')
  })

  test('a signal to the client is passed on to the process', async () => {
    const script = 'trap "echo caught; exit 9" TERM; echo ready; while :; do sleep 0.05; done'
    const run = bench().docker.spawn('run', '--rm', 'busybox', 'sh', '-c', script)
    await run.shows(/ready/)
    run.kill('SIGTERM')
    const { code, stdout } = await run.finish()
    assert.deepEqual({ code, stdout }, { code: 9, stdout: 'ready\ncaught\n' })
  })

  test('a container outlives a client that is killed', async () => {
    const run = bench().docker.spawn('run', '--rm', '--name', 'stays', 'busybox', 'sh', '-c', 'echo ready; sleep 100')
    await run.shows(/ready/)
    run.kill('SIGKILL')
    await run.finish()
    assert.equal((await bench().docker.inspect('stays')).State.Running, true)
    await bench().docker.must('rm', '-f', 'stays')
  })

  test('attach joins a running container, and passes its exit code on', async () => {
    await bench().docker.must('run', '-d', '-i', '--name', 'joined', 'busybox', 'sh', '-c', 'read a; echo "got $a"; exit 5')
    const attached = await bench().docker.with({ input: 'word\n' }, 'attach', 'joined')
    assert.deepEqual({ code: attached.code, stdout: attached.stdout }, { code: 5, stdout: 'got word\n' })
    await bench().docker.must('rm', 'joined')
  })

  test('start -a shows the output of a second life', async () => {
    await bench().docker.must('create', '--name', 'again', 'busybox', 'sh', '-c', 'echo alive; exit 3')
    for (let life = 0; life < 2; life += 1) {
      const { code, stdout } = await bench().docker('start', '--attach', 'again')
      assert.deepEqual({ code, stdout }, { code: 3, stdout: 'alive\n' })
    }
    await bench().docker.must('rm', 'again')
  })

  test('--entrypoint, --workdir, --env, --env-file and --user decide how the command runs', async () => {
    const { docker } = bench()
    const say = 'id -u; id -g; id -G; pwd; echo $A $B; echo $HOME'
    const out = await docker.must(
      'run',
      '--rm',
      '-u',
      'app',
      '-w',
      '/made/here',
      '-e',
      'A=1',
      '-e',
      'B=two words',
      '--entrypoint',
      'sh',
      'busybox',
      '-c',
      say,
    )
    assert.deepEqual(out.split('\n'), ['1000', '1000', '1000 2000', '/made/here', '1 two words', '/home/app'])
    assert.equal(
      await docker.must('run', '--rm', '-u', '5:6', '--group-add', '7', 'busybox', 'sh', '-c', 'id -u; id -G'),
      '5\n6 7',
    )
    const unknown = await docker('run', '--rm', '-u', 'nobody-here', 'busybox', 'true')
    assert.equal(unknown.code, 125)
    assert.match(unknown.stderr, /nobody-here/)
  })

  test('--hostname, --add-host and --dns are what the container finds', async () => {
    const out = await bench().docker.must(
      ...[
        'run',
        '--rm',
        '--hostname',
        'box',
        '--add-host',
        'other:10.1.2.3',
        '--dns',
        '10.9.9.9',
        '--dns-search',
        'example.test',
      ],
      ...['busybox', 'sh', '-c', 'hostname; cat /etc/hosts /etc/resolv.conf'],
    )
    assert.match(out, /^box\n/)
    assert.match(out, /10\.1\.2\.3\s+other/)
    assert.match(out, /\sbox\b/)
    assert.match(out, /nameserver 10\.9\.9\.9/)
    assert.match(out, /search example\.test/)
  })

  test('--init reaps orphans and passes signals on', async () => {
    const { docker } = bench()
    assert.match(await docker.must('run', '--rm', '--init', 'busybox', 'sh', '-c', 'ps -o pid,args'), /^\s*1 \S*init -- sh/m)
    const orphans = '(sleep 0.05 &) ; (sleep 0.05 &) ; sleep 0.4; ps -o stat,args'
    assert.doesNotMatch(await docker.must('run', '--rm', '--init', 'busybox', 'sh', '-c', orphans), /^Z/m)
    assert.equal((await docker('run', '--rm', '--init', 'busybox', 'sh', '-c', 'exit 77')).code, 77)
    assert.equal((await docker('run', '--rm', '--init', 'busybox', 'nosuch')).code, 127)
    await docker.must('run', '-d', '--name', 'init', '--init', 'busybox', 'sleep', '100')
    await docker.must('stop', '--time', '5', 'init')
    assert.equal((await docker.inspect('init')).State.ExitCode, 143)
    await docker.must('rm', 'init')
  })
})
