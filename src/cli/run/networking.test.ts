import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { parseArguments } from '../args/parse.ts'
import { pools } from '../commands/network-create.ts'
import { createFlags } from './flags.ts'
import { networking } from './networking.ts'
import { device, gpuRequests, resources } from './resources.ts'

const flagsOf = (...words: string[]) => parseArguments({ flags: createFlags, stopsAtOperand: true, command: 'run' }, words).flags

test('several networks, each with what was said of it', () => {
  const { mode, config } = networking(
    flagsOf(
      '--network',
      'name=app,alias=db,ip=10.0.0.5',
      '--network',
      'other',
      '--network-alias',
      'pg',
      '--mac-address',
      '02:00:00:00:00:01',
    ),
  )
  assert.equal(mode, 'app')
  assert.deepEqual(config, {
    EndpointsConfig: {
      app: { Aliases: ['db', 'pg'], IPAMConfig: { IPv4Address: '10.0.0.5' }, MacAddress: '02:00:00:00:00:01' },
      other: {},
    },
  })
  assert.deepEqual(networking(flagsOf('--net', 'host')), { mode: 'host', config: undefined })
  assert.throws(() => networking(flagsOf('--network', 'name=app,speed=3')), /speed/)
})

test('devices, their rates and processors for graphics', () => {
  assert.deepEqual(device('/dev/fuse'), { PathOnHost: '/dev/fuse', PathInContainer: '/dev/fuse', CgroupPermissions: 'rwm' })
  assert.deepEqual(device('/dev/a:r'), { PathOnHost: '/dev/a', PathInContainer: '/dev/a', CgroupPermissions: 'r' })
  assert.deepEqual(device('/dev/a:/dev/b:rw'), { PathOnHost: '/dev/a', PathInContainer: '/dev/b', CgroupPermissions: 'rw' })
  assert.throws(() => device('a:b:c:d'), /--device/)
  const rates = resources(
    flagsOf('--device-read-bps', '/dev/sda:1mb', '--device-write-iops', '/dev/sda:100', '--cpu-rt-runtime', '5'),
  )
  assert.deepEqual(rates['BlkioDeviceReadBps'], [{ Path: '/dev/sda', Rate: 1024 * 1024 }])
  assert.deepEqual(rates['BlkioDeviceWriteIOps'], [{ Path: '/dev/sda', Rate: 100 }])
  assert.equal(rates['CpuRealtimeRuntime'], 5)
  assert.deepEqual(gpuRequests('all'), [{ Count: -1, Capabilities: [['gpu']] }])
  assert.throws(() => gpuRequests('speed=1'), /speed/)
})

test('gateways and ranges find the subnet that they lie in', () => {
  const words = {
    subnet: ['10.1.0.0/16', 'fd00::/64'],
    gateway: ['fd00::1', '10.1.0.1'],
    'ip-range': ['10.1.5.0/24'],
    'aux-address': ['host=10.1.0.9'],
  }
  assert.deepEqual(pools(words), [
    { Subnet: '10.1.0.0/16', Gateway: '10.1.0.1', IPRange: '10.1.5.0/24', AuxiliaryAddresses: { host: '10.1.0.9' } },
    { Subnet: 'fd00::/64', Gateway: 'fd00::1' },
  ])
  assert.throws(() => pools({ ...words, gateway: ['192.168.0.1'] }), /lies in no --subnet/)
})

test('an address of a subnet is always found in it', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 255 }),
      fc.integer({ min: 8, max: 24 }),
      fc.integer({ min: 0, max: 255 }),
      (second, bits, last) => {
        const subnet = `10.${second}.0.0/${bits}`
        assert.equal(
          pools({ subnet: [subnet], gateway: [`10.${second}.0.${last}`], 'ip-range': [], 'aux-address': [] })[0]?.Subnet,
          subnet,
        )
      },
    ),
  )
})
