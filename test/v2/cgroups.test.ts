import assert from 'node:assert/strict'
import { before, test } from 'node:test'

import { busyboxImage, startTestDaemon, untilTrue, type TestDaemon } from '../kernel/daemon-fixture.ts'
import { figureOf, forgetAsByReboot, groupFile, hasGroup } from './guest.ts'

const TIMEOUT = { timeout: 120_000 }
const WAIT_MS = 30_000
const MIB = 1024 * 1024
const IMAGE = 'busybox:v2'

interface Stats {
  readonly memory_stats: { readonly usage: number; readonly limit: number; readonly stats: Readonly<Record<string, number>> }
  readonly pids_stats: { readonly current: number; readonly limit?: number }
  readonly cpu_stats: {
    readonly cpu_usage: { readonly total_usage: number; readonly usage_in_usermode: number }
    readonly throttling_data: { readonly periods: number; readonly throttled_periods: number; readonly throttled_time: number }
    readonly online_cpus: number
  }
}

let daemon: TestDaemon
const groupOf = (id: string) => `/glovebox/${daemon.name}/${id}`
const stats = async (id: string) => await daemon.call<Stats>('GET', `/containers/${id}/stats?stream=false&one-shot=true`)
const remove = async (id: string) => await daemon.client.containers.remove(id, { force: true })

before(async () => {
  daemon = await startTestDaemon()
  await daemon.importImage(IMAGE, busyboxImage())
}, TIMEOUT)

test('the daemon says that this is cgroup v2 and that layers are directories here, and why', TIMEOUT, async () => {
  const info = await daemon.client.system.info()
  assert.equal(info['CgroupVersion'], '2')
  assert.match(JSON.stringify(info['DriverStatus']), /unpacked directories/)
  for (const feature of ['MemoryLimit', 'SwapLimit', 'CpuCfsQuota', 'CPUShares', 'PidsLimit', 'CPUSet'])
    assert.equal(info[feature], true, feature)
  assert.equal(info['OomKillDisable'], false)
  const snapshots = (await daemon.client.glovebox.doctor()).find(({ id }) => id === 'engine.snapshots')
  assert.match(snapshots?.what ?? '', /directory.*6\.12/)
})

test('limits are the ones that were asked for, outside and inside the container', TIMEOUT, async () => {
  const id = await daemon.start(IMAGE, ['sleep', '1000'], {
    HostConfig: {
      Memory: 64 * MIB,
      MemorySwap: 96 * MIB,
      MemoryReservation: 32 * MIB,
      NanoCpus: 500_000_000,
      PidsLimit: 20,
      CpuShares: 512,
      CpusetCpus: '1',
    },
  })
  const group = groupOf(id)
  const seen = (file: string) => groupFile(group, file)
  assert.equal(seen('memory.max'), String(64 * MIB))
  assert.equal(seen('memory.swap.max'), String(32 * MIB))
  assert.equal(seen('memory.low'), String(32 * MIB))
  assert.equal(seen('cpu.max'), '50000 100000')
  assert.equal(seen('pids.max'), '20')
  assert.equal(seen('cpuset.cpus'), '1')
  assert.equal(seen('cpu.weight'), '20')
  const inside = await daemon.exec(id, ['cat', ...['memory.max', 'cpu.max', 'pids.max'].map((file) => `/sys/fs/cgroup/${file}`)])
  assert.deepEqual(inside.output.trim().split('\n'), [String(64 * MIB), '50000 100000', '20'])
  assert.equal((await daemon.exec(id, ['cat', '/proc/self/cgroup'])).output.trim(), '0::/')
  const figures = await stats(id)
  assert.equal(figures.memory_stats.limit, 64 * MIB)
  assert.equal(figures.pids_stats.limit, 20)
  assert.equal(figures.pids_stats.current, 1)
  assert.ok(figures.memory_stats.usage > 0)
  assert.ok('inactive_file' in figures.memory_stats.stats && 'anon' in figures.memory_stats.stats)
  assert.ok(figures.cpu_stats.cpu_usage.total_usage > 0)
  await remove(id)
  assert.ok(!hasGroup(group))
})

test('a container that takes more memory than it may is killed, and that is told', TIMEOUT, async () => {
  const since = Math.floor(Date.now() / 1000)
  const { id, exitCode } = await daemon.run(IMAGE, ['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=96M', 'count=1'], {
    HostConfig: { Memory: 32 * MIB, MemorySwap: 32 * MIB },
  })
  assert.equal(exitCode, 137)
  const { State } = await daemon.client.containers.inspect(id)
  assert.equal('OOMKilled' in State && State.OOMKilled, true)
  const actions: string[] = []
  for await (const event of daemon.client.system.events({
    since,
    until: Math.ceil(Date.now() / 1000),
    filters: JSON.stringify({ container: [id] }),
  }))
    actions.push(event.Action)
  assert.ok(actions.includes('oom'), actions.join(' '))
  await remove(id)
  assert.ok(!hasGroup(groupOf(id)))
})

test('no more processes than were allowed', TIMEOUT, async () => {
  const { id, exitCode, output } = await daemon.run(
    IMAGE,
    ['sh', '-c', 'for i in 1 2 3 4 5 6 7 8; do sleep 100 & done; echo all'],
    {
      HostConfig: { PidsLimit: 5 },
    },
  )
  assert.match(output, /fork/)
  assert.notEqual(exitCode, 0)
  await remove(id)
})

test('a busy container is held back, and the figures say how much', TIMEOUT, async () => {
  const id = await daemon.start(IMAGE, ['sh', '-c', 'while :; do :; done'], { HostConfig: { NanoCpus: 100_000_000 } })
  const figure = (key: string) => figureOf(groupFile(groupOf(id), 'cpu.stat'), key)
  await untilTrue(WAIT_MS, () => figure('nr_throttled') > 2 && figure('user_usec') > 0)
  const { cpu_stats: cpu } = await stats(id)
  assert.ok(cpu.throttling_data.throttled_periods > 2)
  assert.ok(cpu.throttling_data.periods >= cpu.throttling_data.throttled_periods)
  assert.ok(cpu.throttling_data.throttled_time > 0)
  assert.ok(cpu.cpu_usage.usage_in_usermode > 0)
  assert.equal(cpu.online_cpus, 2)
  await daemon.client.containers.kill(id, 'KILL')
  await untilTrue(WAIT_MS, async () => !(await daemon.client.containers.inspect(id)).State.Running)
  assert.equal((await daemon.client.containers.inspect(id)).State.ExitCode, 137)
  await untilTrue(WAIT_MS, () => !hasGroup(groupOf(id)))
  await remove(id)
})

test('pausing freezes the group; a paused container can be looked at, resumed, paused and killed', TIMEOUT, async () => {
  const id = await daemon.start(IMAGE, ['sleep', '1000'])
  const frozen = () => figureOf(groupFile(groupOf(id), 'cgroup.events'), 'frozen')
  await daemon.call('POST', `/containers/${id}/pause`)
  assert.equal(frozen(), 1)
  assert.equal((await daemon.client.containers.inspect(id)).State.Status, 'paused')
  assert.equal((await stats(id)).pids_stats.current, 1)
  await daemon.call('POST', `/containers/${id}/unpause`)
  assert.equal(frozen(), 0)
  assert.equal((await daemon.exec(id, ['true'])).exitCode, 0)
  await daemon.call('POST', `/containers/${id}/pause`)
  await daemon.client.containers.stop(id, { t: 0 })
  assert.equal((await daemon.client.containers.inspect(id)).State.Status, 'exited')
  await daemon.client.containers.start(id)
  await daemon.call('POST', `/containers/${id}/pause`)
  await daemon.client.containers.kill(id, 'KILL')
  await untilTrue(WAIT_MS, async () => !(await daemon.client.containers.inspect(id)).State.Running)
  await remove(id)
  assert.ok(!hasGroup(groupOf(id)))
})

test('limits of a running container change, and those left out stay', TIMEOUT, async () => {
  const id = await daemon.start(IMAGE, ['sleep', '1000'], { HostConfig: { Memory: 64 * MIB, PidsLimit: 20 } })
  await daemon.call('POST', `/containers/${id}/update`, {
    Memory: 96 * MIB,
    MemorySwap: 128 * MIB,
    NanoCpus: 250_000_000,
    PidsLimit: 40,
    CpuShares: 2048,
  })
  const seen = (file: string) => groupFile(groupOf(id), file)
  assert.deepEqual([seen('memory.max'), seen('memory.swap.max')], [String(96 * MIB), String(32 * MIB)])
  assert.equal(seen('cpu.max'), '25000 100000')
  assert.equal(seen('pids.max'), '40')
  assert.equal(seen('cpu.weight'), '79')
  await daemon.call('POST', `/containers/${id}/update`, { PidsLimit: 30 })
  assert.deepEqual([seen('pids.max'), seen('memory.max'), seen('cpu.max')], ['30', String(96 * MIB), '25000 100000'])
  await remove(id)
})

test('what exec starts is in the group, and goes with it', TIMEOUT, async () => {
  const id = await daemon.start(IMAGE, ['sleep', '1000'])
  const made = await daemon.client.containers.createExec(id, { Cmd: ['sleep', '500'] })
  await daemon.client.containers.startExecDetached(made, { Detach: true, Tty: false })
  await untilTrue(WAIT_MS, async () => (await stats(id)).pids_stats.current === 2)
  const top = await daemon.call<{ Processes: readonly (readonly string[])[] }>('GET', `/containers/${id}/top`)
  assert.deepEqual(new Set(top.Processes.map((words) => words.at(-1))), new Set(['sleep 1000', 'sleep 500']))
  await daemon.client.containers.stop(id, { t: 0 })
  assert.ok(!hasGroup(groupOf(id)))
  await remove(id)
})

test('a parent group of the user has the controllers as well', TIMEOUT, async () => {
  const id = await daemon.start(IMAGE, ['sleep', '1000'], {
    HostConfig: { CgroupParent: `/${daemon.name}-own/deep`, Memory: 64 * MIB },
  })
  assert.equal(groupFile(`/${daemon.name}-own/deep/${id}`, 'memory.max'), String(64 * MIB))
  await remove(id)
  assert.ok(!hasGroup(`/${daemon.name}-own/deep/${id}`))
})

test(
  'a daemon that was killed takes over its containers with their groups, and finds limits where they were',
  TIMEOUT,
  async () => {
    const id = await daemon.start(IMAGE, ['sleep', '1000'], { HostConfig: { Memory: 64 * MIB } })
    const gone = await daemon.start(IMAGE, ['sleep', '1000'])
    await daemon.kill()
    await daemon.launch()
    assert.equal((await stats(id)).memory_stats.limit, 64 * MIB)
    await daemon.call('POST', `/containers/${id}/update`, { Memory: 80 * MIB, MemorySwap: 80 * MIB })
    assert.equal(groupFile(groupOf(id), 'memory.max'), String(80 * MIB))
    assert.equal((await daemon.exec(id, ['echo', 'here'])).output, 'here\n')
    for (const each of [id, gone]) await remove(each)
    for (const each of [id, gone]) assert.ok(!hasGroup(groupOf(each)))
  },
)

test('after the machine was restarted, containers that should run do, with their limits', TIMEOUT, async () => {
  const HostConfig = { Memory: 64 * MIB, RestartPolicy: { Name: 'always' } }
  const id = await daemon.start(IMAGE, ['sleep', '1000'], { HostConfig })
  await daemon.kill()
  await forgetAsByReboot(daemon.runDir, `/glovebox/${daemon.name}`)
  assert.ok(!hasGroup(`/glovebox/${daemon.name}`))
  await daemon.launch()
  // While it waits for its next start it counts as running too.
  await untilTrue(WAIT_MS, async () => (await daemon.client.containers.inspect(id)).State.Status === 'running')
  assert.equal(groupFile(groupOf(id), 'memory.max'), String(64 * MIB))
  await remove(id)
})

test('a stopped daemon leaves no group behind', TIMEOUT, async () => {
  const id = await daemon.start(IMAGE, ['sleep', '1000'], { StopTimeout: 0 })
  assert.ok(hasGroup(groupOf(id)))
  await daemon.dispose()
  assert.ok(!hasGroup(`/glovebox/${daemon.name}`))
})
