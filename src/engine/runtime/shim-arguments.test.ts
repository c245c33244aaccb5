import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { shimArguments } from './shim-arguments.ts'
import { updateArguments } from './update-arguments.ts'

const runtime = { path: '/usr/bin/crun', stateRoot: '/run/state' }

test('a container is run from its bundle with what was asked for and nothing else', () => {
  assert.equal(
    shimArguments(runtime, { id: 'c1', bundle: '/b', dir: '/d', isTty: false, hasStdin: false }).join(' '),
    'run --dir /d --runtime /usr/bin/crun --state-root /run/state --id c1 --bundle /b',
  )
})

test('a container with terminal, stdin, log and subscription names them all', () => {
  const options = {
    id: 'c1',
    bundle: '/b',
    dir: '/d',
    isTty: true,
    hasStdin: true,
    log: { path: '/l', maxBytes: 100, maxFiles: 3 },
    subscription: { stdout: true, stderr: true },
  }
  assert.equal(
    shimArguments(runtime, options).slice(11).join(' '),
    '--tty --stdin --subscribe 3 --log /l --log-max-bytes 100 --log-max-files 3',
  )
})

test('only the limits that are given become flags of an update', () => {
  assert.deepEqual(updateArguments({}), [])
  assert.deepEqual(updateArguments({ memoryBytes: 1, memorySwapBytes: -1, pidsLimit: 0 }), [
    '--memory=1',
    '--memory-swap=-1',
    '--pids-limit=0',
  ])
  fc.assert(
    fc.property(
      fc.record({ cpuShares: fc.nat(), cpuQuotaUs: fc.integer(), cpusetCpus: fc.string() }, { requiredKeys: [] }),
      (update) => {
        assert.equal(updateArguments(update).length, Object.keys(update).length)
      },
    ),
  )
})
