import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { busyboxImage, startTestDaemon, type TestDaemon } from '../kernel/daemon-fixture.ts'
import { groupFile } from './guest.ts'

const TIMEOUT = { timeout: 60_000 }
const MIB = 1024 * 1024
const IMAGE = 'busybox:v2'
/** The guest's first loop device: 7:0. */
const LOOP = { PathOnHost: '/dev/loop0', PathInContainer: '/dev/loop0', CgroupPermissions: 'rwm' }
const MAKE = '{ [ -b /tmp/node ] || busybox mknod /tmp/node b 7 0; }'
const READ = 'dd if=/tmp/node of=/dev/null count=1'
const WRITE = 'dd if=/dev/zero of=/tmp/node count=0'

let daemon: TestDaemon

/** What a script says in a container that is removed at once. */
async function said(script: string, HostConfig: Readonly<Record<string, unknown>>): Promise<string> {
  const { id, output } = await daemon.run(IMAGE, ['sh', '-c', script], { HostConfig })
  await daemon.client.containers.remove(id, {})
  return output
}

before(async () => {
  daemon = await startTestDaemon()
  await daemon.importImage(IMAGE, busyboxImage())
}, TIMEOUT)
after(async () => await daemon.dispose(), TIMEOUT)

test('a device can be opened only when it was given: the rules are a program in the kernel here', TIMEOUT, async () => {
  const result = (rest: string) => `${MAKE} && ${rest} 2>/dev/null && echo opened || echo refused`
  assert.equal(await said(result(READ), {}), 'refused\n')
  assert.equal(await said(result(READ), { Devices: [LOOP] }), 'opened\n')
  assert.equal(await said(`${result(READ)}; ${result(WRITE)}`, { DeviceCgroupRules: ['b 7:* rm'] }), 'opened\nrefused\n')
  assert.equal(await said(result(WRITE), { Privileged: true }), 'opened\n')
})

test('rates of devices, weights, periods, swap and sets of processors arrive', TIMEOUT, async () => {
  const text = await said('cd /sys/fs/cgroup && cat io.max io.weight cpu.max memory.swap.max cpuset.cpus cpuset.mems', {
    BlkioDeviceReadBps: [{ Path: '/dev/loop0', Rate: MIB }],
    BlkioDeviceWriteIOps: [{ Path: '/dev/loop0', Rate: 100 }],
    BlkioWeight: 500,
    CpuPeriod: 50_000,
    CpuQuota: 25_000,
    Memory: 64 * MIB,
    MemorySwap: -1,
    CpusetCpus: '0-1',
    CpusetMems: '0',
  })
  assert.deepEqual(text.trim().split('\n'), [
    '7:0 rbps=1048576 wbps=max riops=max wiops=100',
    'default 4950',
    '25000 50000',
    'max',
    '0-1',
    '0',
  ])
})

test('without limits there are none, and -1 takes one away', TIMEOUT, async () => {
  assert.equal(await said('cd /sys/fs/cgroup && cat memory.max pids.max cpu.max', {}), 'max\nmax\nmax 100000\n')
  const HostConfig = { PidsLimit: 20, CpuQuota: 50_000, Memory: 64 * MIB }
  const id = await daemon.start(IMAGE, ['sleep', '1000'], { HostConfig })
  const figures = () =>
    ['pids.max', 'cpu.max', 'memory.swap.max'].map((file) => groupFile(`/glovebox/${daemon.name}/${id}`, file))
  assert.deepEqual(figures(), ['20', '50000 100000', String(64 * MIB)])
  await daemon.call('POST', `/containers/${id}/update`, { PidsLimit: -1, CpuQuota: -1, Memory: 64 * MIB, MemorySwap: -1 })
  assert.deepEqual(figures(), ['max', 'max 100000', 'max'])
  await daemon.call('POST', `/containers/${id}/update`, { CpuPeriod: 50_000 })
  await daemon.call('POST', `/containers/${id}/update`, { CpuQuota: 10_000 })
  assert.equal(groupFile(`/glovebox/${daemon.name}/${id}`, 'cpu.max'), '10000 50000')
  await daemon.client.containers.remove(id, { force: true })
})

test("a container in the host's cgroup namespace sees where it is", TIMEOUT, async () => {
  const text = await said('cat /proc/self/cgroup', { CgroupnsMode: 'host' })
  assert.match(text, new RegExp(`^0::/glovebox/${daemon.name}/[0-9a-f]{64}\n$`))
})

test('switching the OOM killer off, which v2 cannot, is left out with a warning', TIMEOUT, async () => {
  const { Id, Warnings } = await daemon.call<{ readonly Id: string; readonly Warnings: readonly string[] }>(
    'POST',
    '/containers/create',
    {
      Image: IMAGE,
      Cmd: ['true'],
      HostConfig: { OomKillDisable: true, Memory: 64 * MIB, MemorySwappiness: 10 },
    },
  )
  assert.deepEqual(Warnings, [
    'Your kernel does not support memory swappiness capabilities or the cgroup is not mounted. Memory swappiness discarded.',
    'Your kernel does not support OomKillDisable. OomKillDisable discarded.',
  ])
  await daemon.client.containers.remove(Id, {})
})
