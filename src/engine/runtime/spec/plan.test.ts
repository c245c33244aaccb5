import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { encodeRuntimeSpec } from '#oci/runtime-spec'

import { containerCapabilities } from './capabilities.ts'
import type { ResourcesInput, RuntimeSpecInput } from './input.ts'
import { planRuntimeSpec } from './plan.ts'
import { ABLE_HOST, PLAIN_INPUT } from './testing.ts'

const plan = (change: Partial<RuntimeSpecInput> = {}, host = ABLE_HOST) => planRuntimeSpec({ ...PLAIN_INPUT, ...change }, host)
const security = (change: Partial<RuntimeSpecInput['security']>) => ({ security: { ...PLAIN_INPUT.security, ...change } })
const process = (change: Partial<RuntimeSpecInput['process']>) => ({ process: { ...PLAIN_INPUT.process, ...change } })
const resources = (change: Partial<ResourcesInput>) => ({ resources: { ...PLAIN_INPUT.resources, ...change } })
const namespaces = (change: Partial<RuntimeSpecInput['namespaces']>) => ({
  namespaces: { ...PLAIN_INPUT.namespaces, ...change },
})
const withoutResource = { ...ABLE_HOST, capabilities: ABLE_HOST.capabilities.filter((name) => name !== 'CAP_SYS_RESOURCE') }

const DEFAULT_CAPABILITIES =
  'AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE NET_RAW SETFCAP SETGID SETPCAP SETUID SYS_CHROOT'
    .split(' ')
    .map((name) => `CAP_${name}`)

test('a plain container has what images expect', () => {
  const { seccomp, ...linux } = plan().linux
  assert.ok(seccomp !== undefined)
  assert.deepEqual(plan().process.capabilities?.effective?.toSorted(), DEFAULT_CAPABILITIES)
  assert.deepEqual(
    plan().mounts.map((mount) => mount.destination),
    ['/proc', '/dev', '/sys', '/dev/pts', '/dev/mqueue', '/dev/shm', '/sys/fs/cgroup'],
  )
  assert.deepEqual(
    linux.namespaces.map((namespace) => namespace.type),
    ['mount', 'pid', 'ipc', 'uts', 'network', 'cgroup'],
  )
  assert.deepEqual(linux.sysctl, { 'net.ipv4.ip_unprivileged_port_start': '0', 'net.ipv4.ping_group_range': '0 2147483647' })
  assert.equal(linux.maskedPaths?.length, 12)
  assert.equal(linux.readonlyPaths?.length, 5)
  assert.equal(linux.rootfsPropagation, 'private')
  assert.equal(linux.resources?.devices?.[0]?.allow, false)
  assert.equal(plan().hostname, 'web')
})

test('capabilities are added and dropped by name or all at once, and never beyond what the daemon has', () => {
  const of = (capAdd: string[], capDrop: string[]) =>
    containerCapabilities({ isPrivileged: false, capAdd, capDrop }, ABLE_HOST.capabilities)
  assert.deepEqual(of(['net_admin'], ['ALL']), ['CAP_NET_ADMIN'])
  assert.deepEqual(of([], ['all']), [])
  assert.deepEqual(of(['ALL'], ['CAP_SYS_ADMIN']).includes('CAP_SYS_ADMIN'), false)
  assert.equal(of(['ALL'], []).length, ABLE_HOST.capabilities.length)
  assert.deepEqual(of(['SYS_TIME'], ['ALL']), [])
  assert.throws(() => of(['SYS_EVERYTHING'], []), /unknown capability "SYS_EVERYTHING"/)
  const names = fc.subarray(['CHOWN', 'NET_ADMIN', 'SYS_ADMIN', 'SYS_TIME', 'ALL', 'KILL'])
  fc.assert(
    fc.property(names, names, fc.boolean(), (capAdd, capDrop, isPrivileged) => {
      const given = containerCapabilities({ isPrivileged, capAdd, capDrop }, ABLE_HOST.capabilities)
      assert.ok(given.every((name) => ABLE_HOST.capabilities.includes(name)))
      assert.equal(new Set(given).size, given.length)
    }),
  )
})

test('who is not root is bound by capabilities but does not hold them', () => {
  const { capabilities } = plan(process({ user: { uid: 1000, gid: 1000, additionalGids: [5] } })).process
  assert.equal(capabilities?.effective, undefined)
  assert.equal(capabilities?.bounding?.length, 14)
})

test('the privileged have every capability, every device, no filter and nothing hidden', () => {
  const spec = plan(security({ isPrivileged: true }))
  assert.deepEqual(spec.process.capabilities?.effective, ABLE_HOST.capabilities)
  assert.equal(spec.linux.seccomp, undefined)
  assert.deepEqual([spec.linux.maskedPaths, spec.linux.readonlyPaths], [[], []])
  assert.deepEqual(spec.linux.resources?.devices, [{ allow: true, access: 'rwm' }])
  assert.ok(spec.mounts.every((mount) => mount.options?.includes('ro') !== true))
})

test('limits that the daemon may not raise are cut to its own', () => {
  const ulimits = [{ name: 'nofile', soft: 30_000, hard: -1 }]
  assert.deepEqual(plan(process({ ulimits }), withoutResource).process.rlimits, [
    { type: 'RLIMIT_NOFILE', soft: 20_000, hard: 20_000 },
  ])
  assert.match(encodeRuntimeSpec(plan(process({ ulimits }))), /"soft":30000,"hard":18446744073709551615/)
  assert.throws(
    () => plan(process({ ulimits: [{ name: 'nofile', soft: 5, hard: 4 }] })),
    /soft limit 5 is above the hard limit 4/,
  )
  assert.throws(() => plan(process({ ulimits: [{ name: 'many', soft: 5, hard: 5 }] })), /unknown ulimit "many"/)
  assert.equal(plan(process({ oomScoreAdj: -500 }), withoutResource).process.oomScoreAdj, 0)
  assert.equal(plan(process({ oomScoreAdj: -500 })).process.oomScoreAdj, -500)
  assert.throws(() => plan(process({ oomScoreAdj: 2000 })), /OOM score 2000/)
})

test('mounts of the caller take the place of defaults, and lie after those that they lie in', () => {
  const mounts = [
    { destination: '/dev/shm/', type: 'bind', source: '/host/shm', options: ['rbind', 'rw', 'rslave'] },
    { destination: '/data/deep/er', type: 'bind', source: '/b', options: ['rbind'] },
    { destination: '/data', type: 'bind', source: '/a', options: ['rbind'] },
  ]
  const spec = plan({ mounts })
  assert.deepEqual(
    spec.mounts.filter((mount) => mount.destination.startsWith('/dev/shm')),
    [mounts[0]],
  )
  assert.ok(
    spec.mounts.findIndex((m) => m.destination === '/data') < spec.mounts.findIndex((m) => m.destination === '/data/deep/er'),
  )
  assert.equal(spec.linux.rootfsPropagation, 'slave')
})

test('resources are counted in what the kernel counts in', () => {
  const of = (change: Partial<ResourcesInput>) => plan(resources(change)).linux.resources
  assert.deepEqual(of({ memoryBytes: 100 })?.memory, { limit: 100, swap: 200 })
  assert.deepEqual(of({ memoryBytes: 100, memorySwapBytes: -1 })?.memory, { limit: 100, swap: -1 })
  assert.deepEqual(of({ nanoCpus: 1_500_000_000 })?.cpu, { period: 100_000, quota: 150_000 })
  assert.deepEqual(of({ pidsLimit: -1 })?.pids, undefined)
  assert.deepEqual(of({ pidsLimit: 7 })?.pids, { limit: 7 })
  assert.deepEqual(of({ blkioWeight: 300, blkioDevices: [{ kind: 'readBps', major: 8, minor: 0, rate: 5 }] })?.blockIO, {
    weight: 300,
    throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 5 }],
  })
  assert.throws(() => of({ memoryBytes: 100, memorySwapBytes: 50 }), /memory and swap together \(50\) are less/)
  assert.throws(() => of({ nanoCpus: 1, cpuQuotaUs: 5 }), /exclude each other/)
})

test('devices come with the right to open them, and rules are read', () => {
  const device = { path: '/dev/x', type: 'c', major: 10, minor: 3, fileMode: 0o660, uid: 0, gid: 0, permissions: 'rw' } as const
  const spec = plan({ devices: [device], deviceRules: ['b 8:* r'] })
  assert.deepEqual(spec.linux.resources?.devices?.slice(-2), [
    { allow: true, type: 'c', major: 10, minor: 3, access: 'rw' },
    { allow: true, type: 'b', major: 8, access: 'r' },
  ])
  assert.equal(spec.linux.devices?.[0]?.path, '/dev/x')
  assert.throws(() => plan({ deviceRules: ['c 1 2 rwm'] }), /device rule "c 1 2 rwm" cannot be read/)
})

test('sysctls are those of a namespace of its own', () => {
  assert.equal(plan({ sysctls: { 'net.core.somaxconn': '9' } }).linux.sysctl?.['net.core.somaxconn'], '9')
  assert.throws(
    () => plan({ sysctls: { 'vm.swappiness': '1' } }),
    /sysctl "vm\.swappiness" is not in a separate kernel namespace/,
  )
  assert.throws(
    () => plan({ sysctls: { 'net.core.somaxconn': '9' }, ...namespaces({ network: { kind: 'host' } }) }),
    /not allowed in host network namespace/,
  )
  assert.equal(plan(namespaces({ network: { kind: 'host' } })).linux.sysctl, undefined)
  assert.equal(plan({ domainname: 'example.org' }).domainname, 'example.org')
})

test('namespaces are new, joined by path, or the host left as it is', () => {
  const spec = plan(namespaces({ network: { kind: 'path', path: '/net' }, pid: { kind: 'host' }, uts: { kind: 'host' } }))
  assert.deepEqual(spec.linux.namespaces, [
    { type: 'mount' },
    { type: 'ipc' },
    { type: 'network', path: '/net' },
    { type: 'cgroup' },
  ])
  assert.equal(spec.hostname, undefined)
})

test('annotations that give orders to the OCI runtime are refused, and so is a container without a command', () => {
  assert.throws(() => plan({ annotations: { 'run.oci.handler': 'x' } }), /annotation run\.oci\.handler/)
  assert.deepEqual(plan({ annotations: { a: 'b' } }).annotations, { a: 'b' })
  assert.throws(() => plan(process({ args: [] })), /no command is given/)
})

test('the OOM killer can be switched off on cgroup v1 only', () => {
  const wanted = resources({ isOomKillDisabled: true })
  assert.equal(plan(wanted, { ...ABLE_HOST, cgroupMode: 'hybrid' }).linux.resources?.memory?.disableOOMKiller, true)
  assert.throws(() => plan(wanted, { ...ABLE_HOST, cgroupMode: 'v2' }), { code: 'spec.unsupported', message: /cgroup v2/ })
})
