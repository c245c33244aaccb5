import assert from 'node:assert/strict'
import { test } from 'node:test'

import { ambient } from './ambient.ts'
import { cycles } from './cycles.ts'
import { layers } from './layers.ts'
import { shape } from './shape.ts'
import { sourceFile, type SourceFile, type Violation } from './source.ts'

/** Every rule is shown a planted violation: a rule that cannot fail protects nothing. */
const reported = (
  rule: (files: readonly SourceFile[]) => readonly Violation[],
  ...files: readonly (readonly [string, string])[]
) => rule(files.map(([path, text]) => sourceFile(path, text))).map((violation) => violation.rule)

test('a layer that imports one above it is reported', () => {
  assert.deepEqual(reported(layers, ['src/oci/a.ts', "import { x } from '#engine/images'"]), ['layers'])
  assert.deepEqual(reported(layers, ['src/cluster/a.ts', "import type { Host } from '#host'"]), ['layers'])
  assert.deepEqual(reported(layers, ['src/cluster/a.ts', "const x = await import('#engine/images')"]), ['layers'])
  assert.deepEqual(reported(layers, ['src/engine/a.ts', "import { x } from '../../tools/check.ts'"]), ['layers'])
  assert.deepEqual(reported(layers, ['src/engine/a.ts', "import { x } from '#host'"]), [])
})

test('reaching past a face into another layer is reported', () => {
  assert.deepEqual(reported(layers, ['src/engine/a.ts', "import { x } from '../host/mounts.ts'"]), ['layers'])
})

test('an import cycle is reported, through types as well', () => {
  assert.deepEqual(
    reported(cycles, ['src/base/a.ts', "import type { b } from './b.ts'"], ['src/base/b.ts', "import { a } from './a.ts'"]),
    ['cycles'],
  )
  assert.deepEqual(reported(cycles, ['src/base/a.ts', "import { b } from './b.ts'"], ['src/base/b.ts', '']), [])
})

test('ambient time, randomness, shells, default exports, module state and console are reported', () => {
  assert.deepEqual(reported(ambient, ['src/engine/a.ts', 'const t = Date.now()']), ['ambient-time'])
  assert.deepEqual(reported(ambient, ['src/engine/a.ts', 'setTimeout(f, 1)']), ['ambient-time'])
  assert.deepEqual(reported(ambient, ['src/engine/a.ts', 'Math.random()']), ['ambient-randomness'])
  assert.deepEqual(reported(ambient, ['src/engine/a.ts', "import { exec } from 'node:child_process'\nexec(`ls ${x}`)"]), [
    'shell-text',
  ])
  assert.deepEqual(reported(ambient, ['src/engine/a.ts', 'spawn(x, [], { shell: true })']), ['shell-text'])
  assert.deepEqual(reported(ambient, ['src/engine/a.ts', 'export default 1']), ['default-export'])
  assert.deepEqual(reported(ambient, ['src/engine/a.ts', 'let count = 0']), ['module-state'])
  assert.deepEqual(reported(ambient, ['src/engine/a.ts', 'console.log(1)']), ['console'])
})

test('what stands in comments, strings and patterns is not code', () => {
  const text =
    "// Date.now()\nconst a = 'Date.now()'\nconst b = `x ${c} Date.now()`\nconst d = /Math.random'/.exec(a)\nconst e = `${f({ g: 1 })} Date.now()`"
  assert.deepEqual(reported(ambient, ['src/engine/a.ts', text]), [])
  assert.deepEqual(reported(ambient, ['src/engine/a.ts', 'const b = `x ${Date.now()}`']), ['ambient-time'])
})

test('long files, odd names and faces with logic are reported', () => {
  assert.deepEqual(reported(shape, ['src/engine/a.ts', 'x\n'.repeat(500)]), ['file-length'])
  assert.deepEqual(reported(shape, ['src/engine/fooBar.ts', '']), ['file-name'])
  assert.deepEqual(reported(shape, ['src/engine/container-utils.ts', '']), ['file-name'])
  assert.deepEqual(reported(shape, ['src/engine/index.ts', 'const x = 1\n']), ['face', 'face'])
})
