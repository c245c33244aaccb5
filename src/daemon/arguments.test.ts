import assert from 'node:assert/strict'
import { test } from 'node:test'

import { readDaemonArguments } from './arguments.ts'

test('layers are kept as well as the kernel can unless the operator says how', () => {
  assert.equal(readDaemonArguments([]).layers, undefined)
  assert.equal(readDaemonArguments(['--layers', 'auto']).layers, undefined)
  assert.equal(readDaemonArguments(['--layers', 'directory']).layers, 'directory')
  assert.throws(() => readDaemonArguments(['--layers', 'btrfs']), { code: 'input.invalid', message: /btrfs.*erofs, directory/ })
})
