import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import type { Digest } from '#base'
import { specFromImage } from '#engine/containers'
import { emptyProcessConfig } from '#oci/image'

import { configOfContainer } from './commit-config.ts'

const id = `sha256:${'0'.repeat(64)}` as Digest

test('a container that nobody told anything has the configuration of its image', () => {
  const words = fc.array(fc.stringMatching(/^[a-z]{1,5}$/), { minLength: 1, maxLength: 3 })
  const image = fc.record({
    user: fc.constantFrom('', 'app', '1000:1000'),
    entrypoint: fc.option(words),
    cmd: fc.option(words),
    workingDir: fc.constantFrom('', '/', '/srv'),
    stopSignal: fc.constantFrom('', 'SIGINT'),
    exposedPorts: fc.constantFrom([], ['80/tcp']),
    volumes: fc.constantFrom([], ['/data']),
    env: fc.constant(['PATH=/bin', 'A=1']),
  })
  fc.assert(
    fc.property(image, (part) => {
      const config = { ...emptyProcessConfig(), ...part }
      assert.deepEqual(configOfContainer(specFromImage({ id, os: 'linux', config }, 'image'), config), config)
    }),
  )
})

test('a check that was switched off stays off, and triggers do not fire twice', () => {
  const healthcheck = { test: ['CMD', 'true'], intervalMs: 1, timeoutMs: 1, startPeriodMs: 0, startIntervalMs: 1, retries: 1 }
  const config = { ...emptyProcessConfig(), healthcheck, onBuild: ['RUN true'] }
  const spec = { ...specFromImage({ id, os: 'linux', config }, 'image'), health: null }
  const committed = configOfContainer(spec, config)
  assert.deepEqual(committed.healthcheck?.test, ['NONE'])
  assert.deepEqual(committed.onBuild, [])
})
