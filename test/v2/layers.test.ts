import assert from 'node:assert/strict'
import { test } from 'node:test'

import { startTestDaemon } from '../kernel/daemon-fixture.ts'

test('a driver that this kernel cannot be is refused with the reason', { timeout: 60_000 }, async () => {
  await assert.rejects(startTestDaemon(['--layers', 'erofs']), /did not mount a trial EROFS index[^]*needs Linux 6\.12/)
})
