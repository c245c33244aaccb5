import assert from 'node:assert/strict'
import { test } from 'node:test'

import { eachClient } from './each-client.ts'

/** Version 1 and version 2 of control groups keep the same number in different files. */
const read = (v1: string, v2: string) => `cat /sys/fs/cgroup/${v2} 2>/dev/null || cat /sys/fs/cgroup/${v1}`

eachClient('limits and rights', (bench) => {
  test('--memory, --cpus and --pids-limit are in the control group that the container sees', async () => {
    const { docker } = bench()
    const limits = ['--memory', '48m', '--memory-swap', '48m', '--cpus', '0.5', '--pids-limit', '20']
    const say = [
      read('memory/memory.limit_in_bytes', 'memory.max'),
      read('cpu/cpu.cfs_quota_us', 'cpu.max'),
      read('pids/pids.max', 'pids.max'),
    ].join('; ')
    const out = await docker.must('run', '--rm', ...limits, 'busybox', 'sh', '-c', say)
    assert.match(out, /^50331648\n50000( 100000)?\n20$/)
  })

  test('--pids-limit stops a fork bomb', async () => {
    const out = await bench().docker(
      'run',
      '--rm',
      '--pids-limit',
      '8',
      'busybox',
      'sh',
      '-c',
      'for i in 1 2 3 4 5 6 7 8 9 10 11; do sleep 1 & done; wait',
    )
    assert.match(out.stderr, /can't fork|Resource temporarily unavailable/)
  })

  test('--cpus holds a busy process back, and stats see the limit of its memory', async () => {
    const { docker } = bench()
    await docker.must(
      'run',
      '-d',
      '--name',
      'busy',
      '--cpus',
      '0.2',
      '--memory',
      '32m',
      'busybox',
      'sh',
      '-c',
      'while :; do :; done',
    )
    const [percent = '', usage = ''] = (
      await docker.must('stats', '--no-stream', '--format', '{{.CPUPerc}}|{{.MemUsage}}', 'busy')
    ).split('|')
    assert.ok(Number.parseFloat(percent) < 60, percent)
    assert.match(usage, /\/ 32MiB/)
    await docker.must('rm', '-f', 'busy')
  })

  test('a process that takes more memory than allowed is killed, and that is told', async () => {
    const { docker } = bench()
    const eat = ['--memory', '16m', '--memory-swap', '16m', 'busybox', 'sh', '-c', 'tail /dev/zero']
    await docker('run', '--name', 'hungry', ...eat)
    const { State } = await docker.inspect('hungry')
    assert.deepEqual([State.OOMKilled, State.ExitCode], [true, 137])
    await docker.must('rm', 'hungry')
  })

  test('--cap-add, --cap-drop and --privileged decide on capabilities', async () => {
    const { docker } = bench()
    const caps = (...args: readonly string[]) =>
      docker.must('run', '--rm', ...args, 'busybox', 'sh', '-c', 'grep CapEff /proc/self/status | cut -f2')
    assert.equal(await caps(), '00000000a80425fb')
    assert.equal(await caps('--cap-drop', 'ALL'), '0000000000000000')
    assert.equal(await caps('--cap-drop', 'ALL', '--cap-add', 'CHOWN'), '0000000000000001')
    assert.equal(await caps('--cap-add', 'NET_ADMIN'), '00000000a80435fb')
    assert.equal(await caps('--user', 'app'), '0000000000000000')
    assert.equal((await docker('run', '--rm', '--cap-add', 'NO_SUCH', 'busybox', 'true')).code, 125)
    const out = await docker.must(
      'run',
      '--rm',
      '--privileged',
      'busybox',
      'sh',
      '-c',
      'mount -t tmpfs none /tmp && echo mounted; grep Seccomp: /proc/self/status; ls /dev | wc -l',
    )
    assert.match(out, /^mounted\nSeccomp:\t0\n/)
    assert.notEqual((await docker('run', '--rm', 'busybox', 'mount', '-t', 'tmpfs', 'none', '/tmp')).code, 0)
  })

  test('--security-opt turns the filter off and privileges back', async () => {
    const { docker } = bench()
    const status = (...args: readonly string[]) =>
      docker.must('run', '--rm', ...args, 'busybox', 'sh', '-c', 'grep -E "^(Seccomp|NoNewPrivs):" /proc/self/status')
    assert.equal(await status(), 'NoNewPrivs:\t0\nSeccomp:\t2')
    assert.equal(await status('--security-opt', 'seccomp=unconfined'), 'NoNewPrivs:\t0\nSeccomp:\t0')
    assert.equal(await status('--security-opt', 'no-new-privileges'), 'NoNewPrivs:\t1\nSeccomp:\t2')
  })

  test('--ulimit, --sysctl, --device and --oom-score-adj arrive', async () => {
    const { docker } = bench()
    assert.equal(
      await docker.must('run', '--rm', '--ulimit', 'nofile=100:200', 'busybox', 'sh', '-c', 'ulimit -Sn; ulimit -Hn'),
      '100\n200',
    )
    assert.equal(
      await docker.must(
        'run',
        '--rm',
        '--sysctl',
        'net.ipv4.ip_unprivileged_port_start=7',
        'busybox',
        'cat',
        '/proc/sys/net/ipv4/ip_unprivileged_port_start',
      ),
      '7',
    )
    assert.equal(
      await docker.must(
        'run',
        '--rm',
        '--device',
        '/dev/null:/dev/hole',
        'busybox',
        'sh',
        '-c',
        'echo x > /dev/hole; stat -c %F /dev/hole',
      ),
      'character special file',
    )
    assert.equal(await docker.must('run', '--rm', '--oom-score-adj', '500', 'busybox', 'cat', '/proc/self/oom_score_adj'), '500')
  })

  test('--pid and --ipc of the host or of another container are shared', async () => {
    const { docker } = bench()
    await docker.must('run', '-d', '--name', 'peer', 'busybox', 'sleep', '7654')
    assert.match(await docker.must('run', '--rm', '--pid', 'container:peer', 'busybox', 'ps'), /sleep 7654/)
    assert.match(await docker.must('run', '--rm', '--pid', 'host', 'busybox', 'ps'), /sleep 7654/)
    await docker.must('rm', '-f', 'peer')
  })
})
