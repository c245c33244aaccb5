import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { GloveboxError } from '#base'
import type { ImageRecord } from '#engine/images'

import cliBodies from '../testing/cli-bodies.json' with { type: 'json' }
import { containerRecord, imageRecord, specOf } from '../testing/records.ts'
import { createSpec, type CreateSurroundings } from './create-body.ts'
import { CREATE_BODY } from './create-fields.ts'

function around(change: Partial<CreateSurroundings> = {}): CreateSurroundings {
  return { image: imageRecord(), minor: 51, cpus: 4, runtimes: ['crun'], containerOf: () => containerRecord({}), ...change }
}

function imageWith(config: Partial<ImageRecord['config']>): ImageRecord {
  const image = imageRecord()
  return { ...image, config: { ...image.config, ...config } }
}

const host = (hostConfig: object, body: object = {}) => specOf({ ...body, HostConfig: hostConfig })
const refusal = (hostConfig: object, body: object = {}): string => {
  try {
    host(hostConfig, body)
  } catch (error) {
    return error instanceof GloveboxError ? `${error.kind}: ${error.message}` : String(error)
  }
  return 'accepted'
}

test('the command follows Docker’s rules of inheritance', () => {
  const image = imageWith({ entrypoint: ['/entry'], cmd: ['default'] })
  const command = (body: object) => {
    const { process } = createSpec({ Image: 'x', ...body }, around({ image })).spec
    return [process.entrypoint, process.cmd]
  }
  assert.deepEqual(command({}), [['/entry'], ['default']])
  assert.deepEqual(command({ Cmd: ['mine'] }), [['/entry'], ['mine']])
  assert.deepEqual(command({ Entrypoint: ['/mine'] }), [['/mine'], null])
  assert.deepEqual(command({ Entrypoint: [], Cmd: ['mine'] }), [null, ['mine']])
  assert.deepEqual(command({ Entrypoint: [''], Cmd: ['mine'] }), [null, ['mine']])
  assert.throws(() => createSpec({ Image: 'x' }, around({ image: imageWith({ cmd: null }) })), /no command specified/)
})

test('variables of the request take the place of the image’s, and a bare name takes one away', () => {
  assert.deepEqual(specOf({ Env: ['LANG=de', 'NEW=1'] }).process.env, ['PATH=/bin', 'LANG=de', 'NEW=1'])
  assert.deepEqual(specOf({ Env: ['LANG'] }).process.env, ['PATH=/bin'])
  assert.match(refusal({}, { Env: ['=x'] }), /invalid environment variable/)
})

test('ports, labels, volumes and the working directory join those of the image', () => {
  const spec = specOf({
    ExposedPorts: { '53/udp': {}, '8000-8001': {} },
    Labels: { maker: 'me', a: 'b' },
    Volumes: { '/more': {} },
  })
  assert.deepEqual(spec.exposedPorts, ['80/tcp', '53/udp', '8000/tcp', '8001/tcp'])
  assert.deepEqual(spec.labels, { maker: 'me', a: 'b' })
  assert.deepEqual(
    spec.mounts.map((mount) => mount.target),
    ['/more', '/data'],
  )
  assert.equal(spec.process.workingDir, '/srv')
  assert.match(refusal({}, { WorkingDir: 'rel' }), /needs to be an absolute path/)
})

test('a health check inherits field by field, and NONE switches it off', () => {
  const healthcheck = { test: ['CMD', 'a'], intervalMs: 1, timeoutMs: 2, startPeriodMs: 3, startIntervalMs: 4, retries: 5 }
  const health = (request: object | null) =>
    createSpec({ Image: 'x', Healthcheck: request }, around({ image: imageWith({ healthcheck }) })).spec.health
  assert.deepEqual(health(null), healthcheck)
  assert.deepEqual(health({ Interval: 9_000_000 }), { ...healthcheck, intervalMs: 9 })
  assert.equal(health({ Test: ['NONE'] }), null)
  assert.throws(() => health({ Timeout: 5 }), /Timeout in Healthcheck cannot be less than 1ms/)
})

test('binds name paths or volumes, with options', () => {
  const mounts = host({ Binds: ['/a/../b:/x:ro,rslave', 'vol:/y:nocopy', '/tmp:/z/'] }).mounts
  assert.deepEqual(mounts[0], {
    type: 'bind',
    source: '/b',
    target: '/x',
    isReadOnly: true,
    propagation: 'rslave',
    createSource: true,
    isRecursive: true,
  })
  assert.equal(mounts[1]?.type === 'volume' && mounts[1].isNoCopy && mounts[1].name, 'vol')
  assert.equal(mounts[2]?.target, '/z')
  for (const [bind, text] of [
    ['/only', "invalid volume specification: '/only'"],
    ['/a:/', "destination can't be '/'"],
    ['/a:rel', "invalid mount path: 'rel' mount path must be absolute"],
    ['/a:/b:wrong', 'invalid mode: wrong'],
    ['/a:/b:ro,rw', 'invalid mode: ro,rw'],
    ['./a:/b', 'includes invalid characters for a local volume name'],
  ] as const)
    assert.ok(refusal({ Binds: [bind] }).includes(text), bind)
  assert.match(refusal({ Binds: ['/a:/x', '/b:/x'] }), /Duplicate mount point: \/x/)
})

test('a mount in the way of a volume of the image replaces it', () => {
  const { mounts } = host({ Tmpfs: { '/data': 'size=1m,mode=1777,noexec' } })
  assert.deepEqual(mounts, [{ type: 'tmpfs', target: '/data', sizeBytes: 1_048_576, mode: 0o1777, options: ['noexec'] }])
})

test('the long form of mounts is checked as dockerd checks it', () => {
  const mount = (fields: object) => refusal({ Mounts: [fields] })
  assert.match(mount({ Type: 'bind', Target: '/x' }), /invalid mount config for type "bind": field Source must not be empty/)
  assert.match(mount({ Type: 'volume', Source: 'v' }), /field Target must not be empty/)
  assert.match(mount({ Type: 'tmpfs', Target: '/x', Source: 's' }), /field Source must not be specified/)
  assert.match(mount({ Type: 'odd', Target: '/x' }), /mount type unknown: "odd"/)
  assert.match(mount({ Type: 'image', Target: '/x', Source: 'i' }), /^unsupported: .*type image/)
  assert.match(
    mount({ Type: 'volume', Target: '/x', Source: 'v', VolumeOptions: { Subpath: '../up' } }),
    /relative path within the volume/,
  )
})

test('volumes of another container come along', () => {
  const other = containerRecord({
    mounts: [
      { type: 'volume', name: 'v', source: '/v', target: '/data', driver: 'local', isReadOnly: false, propagation: '' },
      { type: 'bind', name: '', source: '/h', target: '/host', driver: '', isReadOnly: false, propagation: 'rslave' },
    ],
  })
  const { mounts } = createSpec(
    { Image: 'x', HostConfig: { VolumesFrom: ['other:ro'] } },
    around({ containerOf: () => other }),
  ).spec
  assert.deepEqual(
    mounts.map((mount) => [mount.type, mount.target, mount.type !== 'tmpfs' && mount.isReadOnly]),
    [
      ['volume', '/data', true],
      ['bind', '/host', true],
    ],
  )
})

test('ports are published at a port, in a range or anywhere', () => {
  const { network } = host({
    PortBindings: {
      '80/tcp': [{ HostPort: '8080' }, { HostIp: '127.0.0.1', HostPort: '9000-9010' }],
      '53/udp': [{ HostPort: '' }],
      '1': null,
    },
  })
  assert.deepEqual(
    network.portBindings.map(({ containerPort, protocol, hostPort }) => [containerPort, protocol, hostPort]),
    [
      [80, 'tcp', { first: 8080, last: 8080 }],
      [80, 'tcp', { first: 9000, last: 9010 }],
      [53, 'udp', null],
    ],
  )
  for (const [key, port] of [
    ['80/icmp', ''],
    ['0/tcp', ''],
    ['99999/tcp', ''],
    ['80/tcp', '9-1'],
    ['80/tcp', 'x'],
  ] as const)
    assert.match(refusal({ PortBindings: { [key]: [{ HostPort: port }] } }), /invalid port specification/, `${key} ${port}`)
})

test('limits are refused in dockerd’s words', () => {
  for (const [hostConfig, text] of [
    [{ Memory: 4 * 1024 * 1024 }, 'Minimum memory limit allowed is 6MB'],
    [{ MemorySwap: 10_000_000 }, 'You should always set the Memory limit when using Memoryswap limit'],
    [{ Memory: 20_000_000, MemorySwap: 10_000_000 }, 'Minimum memoryswap limit should be larger than memory limit'],
    [{ Memory: 10_000_000, MemoryReservation: 20_000_000 }, 'Minimum memory limit can not be less than memory reservation limit'],
    [{ NanoCpus: 9e9 }, 'range of CPUs is from 0.01 to 4.00, as there are only 4 CPUs available'],
    [{ NanoCpus: 1e9, CpuQuota: 5000 }, 'Conflicting options: Nano CPUs and CPU Quota cannot both be set'],
    [{ CpuPeriod: 5 }, 'CPU cfs period can not be less than 1ms'],
    [{ OomScoreAdj: 2000 }, 'range for oom score adj is [-1000, 1000]'],
    [{ MemorySwappiness: 101 }, 'Invalid value: 101, valid memory swappiness range is 0-100'],
    [{ CpuRealtimePeriod: 10, CpuRealtimeRuntime: 20 }, 'cpu real-time runtime cannot be higher than cpu real-time period'],
    [{ BlkioWeightDevice: [{ Path: '/dev/sda', Weight: 5 }] }, 'Range of blkio weight is from 10 to 1000'],
    [{ StorageOpt: { size: '1G' } }, "--storage-opt is supported only for overlay over xfs with 'pquota' mount option"],
    [
      { DeviceRequests: [{ Driver: '', Count: -1, Capabilities: [['gpu']] }] },
      'could not select device driver "" with capabilities: [[gpu]]',
    ],
    [{ DeviceRequests: [{ Driver: 'cdi', DeviceIDs: ['vendor.com/class=x'] }] }, 'unresolvable CDI devices vendor.com/class=x'],
    [{ Isolation: 'hyperv' }, 'invalid isolation "hyperv" on linux'],
    [{ CpuCount: 2 }, 'HostConfig.CpuCount is not supported'],
    [{ SecurityOpt: ['label=type:svirt_t'] }, 'SELinux labels'],
    [{ IpcMode: 'sometimes' }, 'invalid IPC mode: sometimes'],
    [{ UsernsMode: 'private' }, 'invalid USER mode: private'],
    [{ RestartPolicy: { Name: 'sometimes' } }, "invalid restart policy: unknown policy 'sometimes'"],
    [{ RestartPolicy: { Name: 'always', MaximumRetryCount: 3 } }, "maximum retry count can only be used with 'on-failure'"],
    [{ RestartPolicy: { Name: 'always' }, AutoRemove: true }, "can't create 'AutoRemove' container with restart policy"],
    [{ CapAdd: ['FLY'] }, 'unknown capability: "CAP_FLY"'],
    [{ SecurityOpt: ['apparmor=mine'] }, 'AppArmor profiles'],
    [{ LogConfig: { Type: 'syslog' } }, 'the log driver "syslog" is not supported'],
    [{ Runtime: 'kata' }, 'unknown or invalid runtime name: kata'],
    [{ NetworkMode: 'container:x', Dns: ['1.1.1.1'] }, 'conflicting options: dns and the network mode'],
    [{ NetworkMode: 'container:x', PortBindings: { '80/tcp': [{}] } }, 'port publishing and the container type network mode'],
  ] as const)
    assert.ok(refusal(hostConfig).includes(text), `${JSON.stringify(hostConfig)}: ${refusal(hostConfig)}`)
})

test('what CLIs send for options that nobody chose passes and means nothing', () => {
  const spec = host({
    MemorySwappiness: -1,
    ConsoleSize: [0, 0],
    PidsLimit: 0,
    NetworkMode: 'default',
    LogConfig: { Type: '', Config: {} },
  })
  assert.equal(spec.process.consoleSize, null)
  assert.equal(spec.resources.pidsLimit, null)
  assert.equal(spec.network.mode, 'bridge')
  assert.deepEqual(Object.keys(spec.network.endpoints), ['bridge'])
})

test('the bodies of real CLIs for one and the same command line become the same spec', () => {
  const [newer, older] = [cliBodies['28.2'], cliBodies['20.10']].map((body) => createSpec(body, around()).spec)
  assert.deepEqual(newer, older)
  assert.equal(newer?.resources.memoryBytes, 64 * 1024 * 1024)
  assert.deepEqual(newer.network.portBindings[0]?.hostPort, { first: 80, last: 80 })
  assert.deepEqual(
    newer.mounts.map((mount) => mount.target),
    ['/a', '/data'],
  )
})

test('networks: the mode’s own endpoint, more of them from 1.44 on, none for shared namespaces', () => {
  const endpoints = { default: {}, side: { Aliases: ['a'], IPAMConfig: { IPv4Address: '10.0.0.2' } } }
  const body = { NetworkingConfig: { EndpointsConfig: endpoints } }
  assert.deepEqual(specOf(body).network.endpoints, {
    bridge: { aliases: [], ipv4Address: null, ipv6Address: null, macAddress: null },
    side: { aliases: ['a'], ipv4Address: '10.0.0.2', ipv6Address: null, macAddress: null },
  })
  const given = { Links: ['db:database'], GwPriority: 3, DriverOpts: { a: 'b' }, IPAMConfig: { LinkLocalIPs: ['169.254.1.1'] } }
  assert.deepEqual(specOf({ NetworkingConfig: { EndpointsConfig: { side: given } } }).network.endpoints['side'], {
    aliases: [],
    ipv4Address: null,
    ipv6Address: null,
    macAddress: null,
    links: [{ container: 'db', alias: 'database' }],
    gatewayPriority: 3,
    linkLocalAddresses: ['169.254.1.1'],
    driverOptions: { a: 'b' },
  })
  for (const refused of [{ Aliases: ['a'] }, { IPAMConfig: { IPv4Address: '10.0.0.2' } }])
    assert.throws(
      () => specOf({ NetworkingConfig: { EndpointsConfig: { bridge: refused } } }),
      /supported (only for containers in|on) user defined networks/,
    )
  assert.throws(() => specOf(body, 43), /Container cannot be connected to network endpoints: default, side/)
  assert.deepEqual(host({ NetworkMode: 'host' }).network.endpoints, {})
  assert.equal(host({ NetworkMode: 'container:x' }).network.mode, `container:${'c0'.repeat(32)}`)
})

test('ports with the host’s network are dropped with a warning', () => {
  const body = { Image: 'x', HostConfig: { NetworkMode: 'host', PortBindings: { '80/tcp': [{ HostPort: '80' }] } } }
  const { spec, warnings } = createSpec(body, around())
  assert.deepEqual([spec.network.portBindings, warnings], [[], ['Published ports are discarded when using host network mode']])
})

const KEYS = Object.keys(CREATE_BODY.fields)
const hostFields = CREATE_BODY.fields['HostConfig']
const HOST_KEYS = typeof hostFields === 'object' && 'fields' in hostFields ? Object.keys(hostFields.fields) : []

const anyValue = fc.oneof(
  { withCrossShrink: true },
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom<unknown>(
    'host',
    'container:x',
    '80/tcp',
    ['a:/b', '/x:/y:ro'],
    { '80/tcp': [{ HostPort: '1-2' }] },
    [{ Type: 'bind', Source: '/', Target: '/x' }],
    -1,
    [1, 2],
  ),
  fc.array(fc.string(), { maxLength: 3 }),
  fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 }),
)

test('property: whatever the body, the answer is a spec or a refusal of kind invalid or unsupported', () => {
  const body = fc.record({
    top: fc.dictionary(fc.constantFrom(...KEYS.filter((key) => key !== 'HostConfig')), anyValue, { maxKeys: 4 }),
    host: fc.dictionary(fc.constantFrom(...HOST_KEYS), anyValue, { maxKeys: 4 }),
    image: fc.constantFrom<unknown>('box:1', '', 3),
  })
  fc.assert(
    fc.property(body, ({ top, host: hostConfig, image }) => {
      try {
        const { spec } = createSpec({ Image: image, ...top, HostConfig: hostConfig }, around())
        assert.equal(new Set(spec.mounts.map((mount) => mount.target)).size, spec.mounts.length, 'one mount a place')
        assert.ok((spec.process.entrypoint?.length ?? 0) + (spec.process.cmd?.length ?? 0) > 0, 'there is a command')
      } catch (error) {
        assert.ok(error instanceof GloveboxError && (error.kind === 'invalid' || error.kind === 'unsupported'), String(error))
      }
    }),
    { numRuns: 2000 },
  )
})

test('property: names of fields count in whatever case', () => {
  fc.assert(
    fc.property(fc.constantFrom('memory', 'MEMORY', 'Memory', 'mEmOrY'), (name) => {
      assert.equal(specOf({ hostconfig: { [name]: 64 << 20 } }).resources.memoryBytes, 64 << 20)
      assert.ok(refusal({ [name]: 'much' }).includes('is not a whole number'))
    }),
  )
})
