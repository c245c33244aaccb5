import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { compiledFilters } from './compiled-filters.ts'
import { planRuntimeSpec } from './spec/plan.ts'
import { ABLE_HOST, PLAIN_INPUT } from './spec/testing.ts'

const spec = planRuntimeSpec(PLAIN_INPUT, ABLE_HOST)
const other = planRuntimeSpec({ ...PLAIN_INPUT, security: { ...PLAIN_INPUT.security, capAdd: ['SYS_ADMIN'] } }, ABLE_HOST)

function place(filter: Buffer): { readonly stateRoot: string; readonly filterDir: string; readonly root: string } {
  const root = mkdtempSync(join(tmpdir(), 'glovebox-filters-'))
  const stateRoot = join(root, 'state')
  mkdirSync(join(stateRoot, 'c1'), { recursive: true })
  writeFileSync(join(stateRoot, 'c1', 'seccomp.bpf'), filter)
  return { root, stateRoot, filterDir: join(root, 'filters') }
}

test('what one container has compiled the next with the same profile is given, also after a restart', async (t) => {
  const filter = Buffer.from('8 bytes.and more')
  const dirs = place(filter)
  t.after(() => rmSync(dirs.root, { recursive: true }))
  const filters = compiledFilters(dirs)
  const first = await filters.prepare(spec)
  assert.equal(first.spec, spec)
  await filters.learn(first.unknownKey ?? '', 'c1')
  for (const one of [filters, compiledFilters(dirs)]) {
    const second = await one.prepare(spec)
    assert.equal(second.unknownKey, undefined)
    assert.equal(second.spec.annotations?.['run.oci.seccomp_bpf_data'], filter.toString('base64'))
    assert.equal(second.spec.linux.seccomp, undefined)
  }
  assert.notEqual((await filters.prepare(other)).unknownKey, undefined)
})

test('what cannot be a filter is not learned, nor is one asked for where there is no profile', async (t) => {
  const dirs = place(Buffer.from('seven b'))
  t.after(() => rmSync(dirs.root, { recursive: true }))
  const filters = compiledFilters(dirs)
  const { unknownKey } = await filters.prepare(spec)
  await filters.learn(unknownKey ?? '', 'c1')
  await filters.learn(unknownKey ?? '', 'no-such-container')
  assert.equal((await filters.prepare(spec)).unknownKey, unknownKey)
  const { seccomp: _none, ...linux } = spec.linux
  assert.equal((await filters.prepare({ ...spec, linux })).unknownKey, undefined)
})
