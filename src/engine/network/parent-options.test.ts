import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { GloveboxError } from '#base'

import { parentSettings } from './parent-options.ts'

test('modes have the usual defaults, and a parent with a number behind a dot may be a VLAN', () => {
  assert.deepEqual(parentSettings('lan', 'macvlan', { parent: 'eth0' }), {
    parent: 'eth0',
    vlan: undefined,
    mode: 'bridge',
    flag: 'bridge',
    mtu: undefined,
  })
  const settings = parentSettings('lan', 'ipvlan', { parent: 'eth0.10', ipvlan_mode: 'l3', ipvlan_flag: 'private' })
  assert.deepEqual([settings.mode, settings.flag, settings.vlan], ['l3', 'private', { parent: 'eth0', vlanId: 10 }])
  for (const parent of ['eth0.0', 'eth0.4095', 'eth0.x', '.5'])
    assert.equal(parentSettings('lan', 'macvlan', { parent }).vlan, undefined)
})

test('a wrong option is refused by name', () => {
  for (const [options, message] of [
    [{}, /option parent/],
    [{ parent: 'a link with spaces' }, /option parent/],
    [{ parent: 'eth0', macvlan_mode: 'l2' }, /macvlan_mode: "l2" is not one of bridge, private, vepa, passthru/],
    [{ parent: 'eth0', ipvlan_flag: 'bridge' }, /option ipvlan_flag is not supported/],
    [{ parent: 'eth0', 'com.docker.network.driver.mtu': '9' }, /mtu: "9" is not a number from 68/],
  ] as const)
    assert.throws(() => parentSettings('lan', 'macvlan', options), { message })
})

test('any options give settings or a refusal of our own', () => {
  const keys = fc.constantFrom('parent', 'macvlan_mode', 'ipvlan_mode', 'ipvlan_flag', 'other')
  fc.assert(
    fc.property(fc.constantFrom('macvlan' as const, 'ipvlan' as const), fc.dictionary(keys, fc.string()), (driver, options) => {
      try {
        const { parent, vlan } = parentSettings('lan', driver, options)
        assert.ok(parent !== '' && (vlan === undefined || `${vlan.parent}.${vlan.vlanId}`.length <= parent.length))
      } catch (error) {
        assert.ok(error instanceof GloveboxError, String(error))
      }
    }),
  )
})
