import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { GloveboxError } from '#base'

import { endpointSettings, sysctlPath } from './endpoint-options.ts'

const PREFIX = 'com.docker.network.endpoint.'

test('the name of the link and sysctls of the link are read', () => {
  const options = {
    [`${PREFIX}ifname`]: 'lan.7',
    [`${PREFIX}sysctls`]: 'net.ipv4.conf.IFNAME.log_martians=1,net.ipv6.conf.ifname.accept_ra=2',
  }
  const { guestLink, sysctls } = endpointSettings('web', options)
  assert.equal(guestLink, 'lan.7')
  assert.deepEqual(
    sysctls.map(({ name, value }) => `${sysctlPath(name, guestLink)}=${value}`),
    ['net/ipv4/conf/lan.7/log_martians=1', 'net/ipv6/conf/lan.7/accept_ra=2'],
  )
  assert.deepEqual(endpointSettings('web', {}), { guestLink: '', sysctls: [] })
})

test('what would touch more than the link, or is not known, is refused by name', () => {
  for (const [key, value, code] of [
    ['ifname', 'a/b', 'network.invalid'],
    ['ifname', 'lo', 'network.invalid'],
    ['ifname', 'sixteen-letters-', 'network.invalid'],
    ['sysctls', 'net.ipv4.ip_forward=1', 'network.invalid'],
    ['sysctls', 'net.ipv4.conf.all.log_martians=1', 'network.invalid'],
    ['sysctls', 'kernel.core.x.IFNAME.y=1', 'network.invalid'],
    ['sysctls', 'net.ipv4.conf.IFNAME.log_martians', 'network.invalid'],
    ['speed', 'high', 'network.unsupported'],
  ] as const)
    assert.throws(() => endpointSettings('web', { [PREFIX + key]: value }), { code }, `${key}=${value}`)
})

test('no text makes a path that leaves the link', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        const { sysctls } = endpointSettings('web', { [`${PREFIX}sysctls`]: text })
        for (const { name } of sysctls)
          assert.match(sysctlPath(name, 'eth0'), /^net\/(ipv4|ipv6|mpls)\/[a-z_]+\/eth0\/[a-z0-9_]+$/i)
      } catch (error) {
        assert.ok(error instanceof GloveboxError, String(error))
      }
    }),
  )
})
