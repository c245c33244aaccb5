import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import type { HostFacts } from './facts.ts'
import { findings } from './findings.ts'
import { compareVersions, readCapabilities, readCgroups, readForward, readHardLimit } from './read-facts.ts'

const GIB = 1024 ** 3

const good: HostFacts = {
  kernelRelease: '6.18.44',
  architecture: 'x64',
  cpus: 4,
  memoryBytes: 16 * GIB,
  availableMemoryBytes: 8 * GIB,
  isRoot: true,
  fileSystems: ['overlay', 'erofs'],
  isErofsOnFilesBuilt: true,
  cgroup: { mode: 'v2', controllers: ['memory', 'cpu', 'pids'] },
  capabilities: 'SYS_ADMIN NET_ADMIN SETUID SETGID MKNOD CHOWN DAC_OVERRIDE SYS_CHROOT SYS_RESOURCE'
    .split(' ')
    .map((name) => `CAP_${name}`),
  nofileHard: 1_048_576,
  crunVersion: '1.28',
  missingPrograms: [],
  forward: { isDrop: false, table: '', hasDockerUser: false },
  isIpForwardOn: true,
  disk: { path: '/var/lib/glovebox', availableBytes: 100 * GIB, totalBytes: 200 * GIB },
  nameservers: ['192.0.2.1'],
  hasSeccomp: true,
  nowMs: 2000,
  knownPastMs: 1000,
  snapshotDriver: { name: 'erofs', reason: 'The kernel mounts EROFS from files.' },
}

const levels = (facts: Partial<HostFacts>) =>
  new Map(findings({ ...good, ...facts }).map((finding) => [finding.id, finding.level]))

test('a good host gives no cause for concern', () => {
  assert.deepEqual(
    [...levels({}).values()].filter((level) => level !== 'ok'),
    [],
  )
})

const cases: readonly (readonly [string, Partial<HostFacts>, string, string])[] = [
  ['an old kernel', { kernelRelease: '5.10.0' }, 'kernel.release', 'warning'],
  ['no overlayfs', { fileSystems: ['erofs'] }, 'kernel.overlayfs', 'problem'],
  ['EROFS that wants block devices', { kernelRelease: '6.1.0-40-amd64' }, 'kernel.erofs', 'note'],
  ['hybrid control groups', { cgroup: { mode: 'hybrid', controllers: ['memory', 'cpu', 'pids'] } }, 'cgroup.mode', 'note'],
  ['no memory controller', { cgroup: { mode: 'v1', controllers: ['cpu', 'pids'] } }, 'cgroup.controllers', 'warning'],
  ['no control groups', { cgroup: { mode: 'none', controllers: [] } }, 'cgroup.mode', 'problem'],
  ['a root that is not whole', { capabilities: ['CAP_CHOWN'] }, 'host.capabilities', 'problem'],
  [
    'no CAP_SYS_RESOURCE',
    { capabilities: good.capabilities.filter((name) => name !== 'CAP_SYS_RESOURCE') },
    'host.sys_resource',
    'note',
  ],
  ['Debian 12’s crun', { crunVersion: '1.8.1' }, 'crun.cve-2026-47766', 'warning'],
  ['crun 1.27, which has one hole less', { crunVersion: '1.27' }, 'crun.cve-2026-47766', 'warning'],
  ['missing programs', { missingPrograms: ['nft'] }, 'host.programs', 'problem'],
  ['a Docker beside us', { forward: { isDrop: true, table: 'filter', hasDockerUser: true } }, 'network.forward_policy', 'note'],
  ['no forwarding yet', { isIpForwardOn: false }, 'network.ip_forward', 'note'],
  ['no name server', { nameservers: [] }, 'network.dns', 'warning'],
  ['only itself as name server', { nameservers: ['127.0.0.53'] }, 'network.dns', 'note'],
  ['little disk', { disk: { path: '/x', availableBytes: 2 * GIB, totalBytes: 9 * GIB } }, 'host.disk', 'warning'],
  ['no disk', { disk: { path: '/x', availableBytes: 0, totalBytes: 9 * GIB } }, 'host.disk', 'problem'],
  ['little memory', { availableMemoryBytes: 1000 }, 'host.memory', 'warning'],
  ['few open files', { nofileHard: 1024 }, 'host.nofile', 'warning'],
  ['a clock that is behind', { nowMs: 1 }, 'host.clock', 'note'],
]
for (const [title, facts, id, level] of cases)
  test(`${title} is a ${level}`, () => {
    assert.equal(levels(facts).get(id), level)
  })

test('crun 1.27 no longer has the hole that it closed', () => {
  assert.equal(levels({ crunVersion: '1.27' }).has('crun.cve-2026-30892'), false)
})

test('whatever the facts, ids are unique and everything that is not ok says why', () => {
  const facts = fc.record({
    kernelRelease: fc.stringMatching(/^\d{1,2}\.\d{1,2}(\.\d+)?$/),
    fileSystems: fc.subarray(['overlay', 'erofs']),
    isErofsOnFilesBuilt: fc.option(fc.boolean()),
    cgroup: fc.record({
      mode: fc.constantFrom('v2', 'hybrid', 'v1', 'none'),
      controllers: fc.subarray(['memory', 'cpu', 'pids']),
    }),
    capabilities: fc.subarray([...good.capabilities]),
    crunVersion: fc.option(fc.stringMatching(/^1\.\d{1,2}$/)),
    missingPrograms: fc.subarray(['crun', 'nft', 'ip']),
    nofileHard: fc.nat(),
    isRoot: fc.boolean(),
    availableMemoryBytes: fc.nat(),
    nameservers: fc.subarray(['127.0.0.1', '192.0.2.1']),
  })
  fc.assert(
    fc.property(facts, (some) => {
      const found = findings({ ...good, ...some })
      assert.equal(new Set(found.map((finding) => finding.id)).size, found.length)
      for (const finding of found) {
        assert.match(finding.what, /\S.*[.]$/)
        if (finding.level !== 'ok') assert.notEqual(finding.why, '')
        if (finding.level === 'problem' || finding.level === 'warning') assert.notEqual(finding.advice, '')
      }
    }),
  )
})

test('control groups are told apart by where they are mounted', () => {
  const v2 = '25 20 0:22 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw'
  const v1 = '26 20 0:23 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory'
  const unified = '27 20 0:24 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw'
  const table = '#subsys_name\thierarchy\tnum_cgroups\tenabled\nmemory\t4\t1\t1\npids\t8\t1\t1\nrdma\t0\t1\t0\n'
  assert.deepEqual(readCgroups(v2, table, 'cpu memory\n'), { mode: 'v2', controllers: ['cpu', 'memory'] })
  assert.deepEqual(readCgroups(`${v1}\n${unified}`, table, ''), { mode: 'hybrid', controllers: ['memory'] })
  assert.deepEqual(readCgroups(v1, table, ''), { mode: 'v1', controllers: ['memory'] })
  assert.equal(readCgroups('', '', '').mode, 'none')
})

test('capabilities, limits and firewall chains are read as the kernel writes them', () => {
  assert.deepEqual(readCapabilities('Name:\tx\nCapEff:\t0000000001000001\n'), ['CAP_CHOWN', 'CAP_SYS_RESOURCE'])
  assert.equal(
    readHardLimit('Max open files            1024                 20000                files     \n', 'Max open files'),
    20_000,
  )
  assert.equal(
    readHardLimit('Max open files            1024                 unlimited            files     \n', 'Max open files'),
    Infinity,
  )
  const chains = JSON.stringify({
    nftables: [{ metainfo: {} }, { chain: { table: 'filter', name: 'FORWARD', hook: 'forward', policy: 'drop' } }],
  })
  assert.deepEqual(readForward(chains, null), { isDrop: true, table: 'filter', hasDockerUser: false })
  assert.equal(readForward('not json', null), null)
  const legacy = '-P FORWARD DROP\n-N DOCKER-USER\n'
  assert.deepEqual(readForward(null, legacy), { isDrop: true, table: 'filter', hasDockerUser: true })
})

test('versions compare by their numbers', () => {
  assert.ok(compareVersions('1.8.1', '1.27') < 0)
  assert.ok(compareVersions('6.12.0-rc1', '6.12') >= 0)
  assert.equal(compareVersions('1.28', '1.28.0'), 0)
})
