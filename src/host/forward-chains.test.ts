import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { allowedLinks, readLegacyForward, readNftForward } from './forward-chains.ts'

const LISTING = `table ip filter { # handle 1
	chain FORWARD { # handle 2
		type filter hook forward priority filter; policy drop;
		iifname "gb-own-*" accept # handle 99
	}
	chain DOCKER-USER { # handle 5
		iifname "gb-own-*" accept # handle 12
		oifname "gb-own-*" counter packets 7 bytes 99 accept # handle 11
		iifname "gb-other-*" accept # handle 9
		counter packets 0 bytes 0 return # handle 7
	}
}`

test('rules of links are found in the chain where they belong, with their handles', () => {
  const read = readNftForward(LISTING)
  assert.deepEqual([read?.name, read?.isDrop], ['DOCKER-USER', true])
  assert.deepEqual(
    read?.rules.map(({ handle }) => handle),
    [12, 11, 9],
  )
  assert.deepEqual(allowedLinks(read?.rules ?? []), ['gb-own-*'])
  const without = readNftForward(LISTING.replace(/\tchain DOCKER-USER[^}]*}\n/, ''))
  assert.deepEqual([without?.name, without?.rules.map(({ handle }) => handle)], ['FORWARD', [99]])
  assert.equal(readNftForward(undefined), undefined)
  assert.equal(readNftForward('table ip filter {\n}\n'), undefined)
})

test('the old iptables says the same in its own words', () => {
  const listing =
    '-P INPUT ACCEPT\n-P FORWARD DROP\n-P OUTPUT ACCEPT\n-N DOCKER-USER\n-A FORWARD -j DOCKER-USER\n' +
    '-A DOCKER-USER -i gb-own-+ -j ACCEPT\n-A DOCKER-USER -o gb-own-+ -j ACCEPT\n-A DOCKER-USER -j RETURN\n'
  const read = readLegacyForward(listing)
  assert.deepEqual([read?.name, read?.isDrop, allowedLinks(read?.rules ?? [])], ['DOCKER-USER', true, ['gb-own-*']])
  assert.deepEqual(readLegacyForward('-P FORWARD ACCEPT\n'), { name: 'FORWARD', isDrop: false, rules: [] })
})

test('no text makes the readers fail', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      readNftForward(text)
      readLegacyForward(text)
    }),
  )
})
