import assert from 'node:assert/strict'
import { test } from 'node:test'

import { checkLimits } from './check-limits.ts'

test('limits that no command could run with are refused before anything runs', () => {
  checkLimits({})
  checkLimits({
    ulimits: [{ name: 'nofile', soft: 1, hard: -1 }],
    extraHosts: ['db:10.0.0.1', 'v6:::1', 'h:host-gateway'],
    cgroupParent: '/a/b',
  })
  for (const limits of [
    { ulimits: [{ name: 'evil', soft: 1, hard: 1 }] },
    { ulimits: [{ name: 'nofile', soft: 2, hard: 1 }] },
    { ulimits: [{ name: 'nofile', soft: -1, hard: 1 }] },
    { ulimits: [{ name: 'nofile', soft: 0.5, hard: 1 }] },
    { extraHosts: ['db'] },
    { extraHosts: ['db:nowhere'] },
    { extraHosts: ['a b:10.0.0.1'] },
    { extraHosts: ['a\nb:10.0.0.1'] },
    { cgroupParent: '../x' },
  ])
    assert.throws(() => checkLimits(limits), { code: 'build.limits_invalid' }, JSON.stringify(limits))
})
