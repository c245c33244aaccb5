import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { run, until } from '../support/processes.ts'
import { type Bench, startBench } from './containers-bench.ts'

const isV2 = () => !readFileSync('/proc/self/mountinfo', 'utf8').includes(' - cgroup ')

describe('options of containers, seen from inside', () => {
  let bench: Bench
  before(async () => void (bench = await startBench()))
  after(async () => await bench.daemon.stop())

  test('IPC is private, shareable, the host’s, another’s or none, and /dev/shm goes with it', async () => {
    const { docker, inside, refused } = bench
    assert.equal(await inside(['--ipc', 'none'], 'ls /dev/shm 2>/dev/null || echo none; ls -d /dev/mqueue'), 'none\n/dev/mqueue')
    await docker.must(
      'run',
      '-d',
      '--name',
      'donor',
      '--ipc',
      'shareable',
      '--shm-size',
      '1m',
      'busybox',
      'sh',
      '-c',
      'echo hi > /dev/shm/x; exec sleep 100',
    )
    await until('the file', 3000, async () =>
      (await docker('exec', 'donor', 'cat', '/dev/shm/x')).code === 0 ? true : undefined,
    )
    assert.match(
      await inside(['--ipc', 'container:donor'], 'cat /dev/shm/x; readlink /proc/self/ns/ipc; grep " /dev/shm " /proc/mounts'),
      /^hi\nipc:\[\d+\]\n.*noexec.*size=1024k/,
    )
    await docker.must('restart', '--time', '0', 'donor')
    await docker.must('rm', '-f', 'donor')
    await docker.must('run', '-d', '--name', 'closed', 'busybox', 'sleep', '100')
    assert.match(
      await refused('--ipc', 'container:closed', 'busybox', 'true'),
      /^125: .*can't join IPC of container \w+: non-shareable IPC \(hint: use IpcMode:shareable for the donor container\)/s,
    )
    await docker.must('rm', '-f', 'closed')
    const host = (await run('readlink', ['/proc/self/ns/ipc'])).stdout.trim()
    assert.equal(await inside(['--ipc', 'host'], 'readlink /proc/self/ns/ipc'), host)
    assert.notEqual(await inside([], 'readlink /proc/self/ns/ipc'), host)
  })

  test('what this kernel cannot limit is left out with a warning, and what is not there is refused', async () => {
    const { docker, refused } = bench
    const warned = async (...args: readonly string[]) => (await docker('run', '--rm', ...args, 'busybox', 'true')).stderr
    assert.match(await warned('--oom-kill-disable'), isV2() ? /OomKillDisable discarded/ : /no memory limit is set/)
    assert.match(
      await refused('--cpuset-cpus', '4000', 'busybox', 'true'),
      /^125: .*Requested CPUs are not available - requested 4000, available: /s,
    )
    assert.match(
      await refused('--gpus', 'all', 'busybox', 'true'),
      /^125: .*could not select device driver "" with capabilities: \[\[gpu\]\]/s,
    )
    assert.match(
      await refused('--storage-opt', 'size=1G', 'busybox', 'true'),
      /^125: .*supported only for overlay over xfs with 'pquota'/s,
    )
    assert.match(await refused('--runtime', 'other', 'busybox', 'true'), /^125: .*unknown or invalid runtime name: other/s)
    assert.match(await refused('--isolation', 'hyperv', 'busybox', 'true'), /^125: .*invalid isolation/s)
    assert.match(await refused('--security-opt', 'label=type:x', 'busybox', 'true'), /^125: .*SELinux labels/s)
    assert.equal(
      await bench.inside(['--security-opt', 'apparmor=unconfined', '--security-opt', 'label=disable'], 'echo fine'),
      'fine',
    )
  })

  test(
    'memory, processors and block devices are limited in the files of the kernel, at the start and by an update',
    { skip: isV2() },
    async () => {
      const { docker, inside } = bench
      const files = (...paths: readonly string[]) => paths.map((path) => `cat /sys/fs/cgroup/${path}`).join('; ')
      assert.equal(
        await inside(
          [
            '-m',
            '32m',
            '--memory-reservation',
            '20m',
            '--memory-swappiness',
            '10',
            '--cpu-shares',
            '300',
            '--cpuset-cpus',
            '0',
            '--cpu-period',
            '50000',
            '--cpu-quota',
            '20000',
          ],
          files(
            'memory/memory.limit_in_bytes',
            'memory/memory.memsw.limit_in_bytes',
            'memory/memory.soft_limit_in_bytes',
            'memory/memory.swappiness',
            'cpu/cpu.shares',
            'cpuset/cpuset.cpus',
            'cpu/cpu.cfs_period_us',
            'cpu/cpu.cfs_quota_us',
          ),
        ),
        '33554432\n67108864\n20971520\n10\n300\n0\n50000\n20000',
      )
      await docker.must('run', '-d', '--name', 'changed', '-m', '64m', 'busybox', 'sleep', '100')
      assert.match((await docker('update', '-m', '200m', 'changed')).stderr, /update the memoryswap at the same time/)
      await docker.must(
        'update',
        '-m',
        '100m',
        '--memory-reservation',
        '20m',
        '--cpu-shares',
        '512',
        '--cpuset-cpus',
        '0',
        '--pids-limit',
        '30',
        '--cpus',
        '0.5',
        'changed',
      )
      const say = files(
        'memory/memory.limit_in_bytes',
        'memory/memory.soft_limit_in_bytes',
        'cpu/cpu.shares',
        'cpuset/cpuset.cpus',
        'pids/pids.max',
        'cpu/cpu.cfs_quota_us',
      )
      assert.equal(await docker.must('exec', 'changed', 'sh', '-c', say), '104857600\n20971520\n512\n0\n30\n50000')
      assert.match(
        (await docker('update', '--cpu-period', '5000', 'changed')).stderr,
        /CPU Period cannot be updated as NanoCPUs has already been set/,
      )
      await docker.must('rm', '-f', 'changed')
    },
  )

  test('a directory of devices is given whole, sysctls are those of its namespaces, and a tmpfs takes a share of memory', async () => {
    const { daemon, inside, refused } = bench
    mkdirSync(join(daemon.directory, 'devices/deep'), { recursive: true })
    await run('mknod', [join(daemon.directory, 'devices/deep/zero'), 'c', '1', '5'])
    assert.equal(
      await inside(['--device', `${join(daemon.directory, 'devices')}:/dev/mine:r`], 'head -c 3 /dev/mine/deep/zero | wc -c'),
      '3',
    )
    assert.match(await refused('--device', `${daemon.directory}/root`, 'busybox', 'true'), /^125: .*not a device node/s)
    assert.equal(await inside(['--sysctl', 'kernel.shmmax=12345'], 'cat /proc/sys/kernel/shmmax'), '12345')
    assert.match(
      await refused('--network', 'host', '--sysctl', 'net.core.somaxconn=5', 'busybox', 'true'),
      /not allowed in host network namespace/,
    )
    assert.match(await inside(['--tmpfs', '/t:size=10%,mode=1777'], 'grep " /t " /proc/mounts'), /noexec.*size=\d+k/)
    assert.equal(
      await inside(['--annotation', 'a.b=c', '--domainname', 'example.org'], 'cat /proc/sys/kernel/domainname'),
      'example.org',
    )
  })

  test('wait answers at the next end, when nothing runs, and at the removal', async () => {
    const { docker, daemon } = bench
    const wait = (condition: string) =>
      run('curl', [
        '-s',
        '--unix-socket',
        daemon.socketPath,
        '-X',
        'POST',
        `http://d/v1.43/containers/waited/wait?condition=${condition}`,
      ])
    await docker.must('run', '-d', '--name', 'waited', 'busybox', 'sleep', '100')
    const removed = wait('removed')
    const both = Promise.all([wait('next-exit'), wait('not-running')])
    await until('those who wait', 3000, async () => await Promise.resolve(true))
    await docker.must('exec', 'waited', 'sleep', '0.2')
    await docker.must('kill', 'waited')
    for (const { stdout } of await both) assert.deepEqual(JSON.parse(stdout), { StatusCode: 137 })
    assert.deepEqual(JSON.parse((await wait('not-running')).stdout), { StatusCode: 137 })
    await docker.must('rm', 'waited')
    assert.deepEqual(JSON.parse((await removed).stdout), { StatusCode: 137 })
  })

  test('a health log keeps five results of four kilobytes, tells a timeout, and is unhealthy once nobody looks', async () => {
    const { docker } = bench
    await docker.must(
      'run',
      '-d',
      '--name',
      'loud',
      '--health-cmd',
      'yes | head -c 9000; exit 1',
      '--health-interval',
      '60ms',
      '--health-retries',
      '2',
      'busybox',
      'sleep',
      '100',
    )
    await docker.must(
      'run',
      '-d',
      '--name',
      'slow',
      '--health-cmd',
      'sleep 50',
      '--health-interval',
      '60ms',
      '--health-timeout',
      '300ms',
      'busybox',
      'sleep',
      '100',
    )
    const health = async (name: string) => (await docker.inspect(name)).State.Health
    const loud = await until('five results', 8000, async () => {
      const seen = await health('loud')
      return seen.Log.length === 5 && seen.Status === 'unhealthy' ? seen : undefined
    })
    assert.deepEqual(
      loud.Log.map(({ Output }: { Output: string }) => [Output.length, Output.endsWith('...')]),
      Array.from({ length: 5 }, () => [4099, true]),
    )
    const slow = await until('a timeout', 5000, async () =>
      (await health('slow')).Log.length > 0 ? await health('slow') : undefined,
    )
    assert.deepEqual([slow.Log[0].ExitCode, slow.Log[0].Output], [-1, 'Health check exceeded timeout (300ms): '])
    await docker.must('kill', 'slow')
    assert.equal((await health('slow')).Status, 'unhealthy')
    await docker.must('rm', '-f', 'loud', 'slow')
  })

  test('stats have a first and a second sample, or one when that is asked for', async () => {
    const { docker, daemon } = bench
    await docker.must('run', '-d', '--name', 'counted', '-m', '64m', '--pids-limit', '20', 'busybox', 'sleep', '100')
    const stats = async (query: string) =>
      JSON.parse(
        (await run('curl', ['-s', '--unix-socket', daemon.socketPath, `http://d/v1.43/containers/counted/stats?${query}`]))
          .stdout,
      )
    const one = await stats('stream=0&one-shot=1')
    assert.match(one.preread, /^0001/)
    assert.deepEqual([one.memory_stats.limit, one.pids_stats.current, one.pids_stats.limit], [67_108_864, 1, 20])
    assert.ok(one.networks.eth0.rx_bytes >= 0 && one.cpu_stats.online_cpus > 0 && one.cpu_stats.cpu_usage.total_usage > 0)
    assert.ok(isV2() || (one.memory_stats.max_usage > 0 && one.cpu_stats.cpu_usage.percpu_usage.length > 0))
    const two = await stats('stream=0')
    assert.ok(two.precpu_stats.system_cpu_usage > 0 && two.cpu_stats.system_cpu_usage > two.precpu_stats.system_cpu_usage)
    assert.match(
      (
        await run('curl', [
          '-s',
          '--unix-socket',
          daemon.socketPath,
          'http://d/v1.43/containers/counted/stats?stream=1&one-shot=1',
        ])
      ).stdout,
      /cannot have stream=true and one-shot=true/,
    )
    await docker.must('rm', '-f', 'counted')
  })
})
