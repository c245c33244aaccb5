import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import fc from 'fast-check'

import { virtualClock } from '#base'
import { ignoreRules } from '#oci/patterns'

import { scanMemories } from './scan-memory.ts'
import { scanTree, scanTreeInTurns, type ScanOptions } from './scan.ts'

/** Long after whatever a test writes: nothing is fresh. */
const LATER_MS = Date.now() + 3_600_000
const options: ScanOptions = { rules: ignoreRules([]), isAlwaysIn: () => false, nowMs: LATER_MS }

function place(): { readonly root: string } & Disposable {
  const root = mkdtempSync(join(tmpdir(), 'scan-'))
  return { root, [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }) }
}

test('a tree that is as it was gives the list of before, the very same', () => {
  using app = place()
  mkdirSync(join(app.root, 'a/b'), { recursive: true })
  writeFileSync(join(app.root, 'a/b/c'), 'x')
  const memories = scanMemories(virtualClock())
  const files = { at: (path: string) => path, remembered: memories.of }
  const first = scanTree(app.root, { ...options, files })
  assert.equal(scanTree(app.root, { ...options, files }), first)
  writeFileSync(join(app.root, 'a/b/c'), 'xy')
  const changed = scanTree(app.root, { ...options, files })
  assert.notEqual(changed, first)
  assert.equal(changed[0], first[0])
  assert.deepEqual(changed, scanTree(app.root, options))
})

test('names of a directory that was changed a moment ago are not relied on', () => {
  using app = place()
  const memories = scanMemories(virtualClock())
  const files = { at: (path: string) => path, remembered: memories.of }
  const now = () => ({ ...options, nowMs: Date.now(), files })
  writeFileSync(join(app.root, 'a'), '')
  scanTree(app.root, now())
  assert.equal(memories.of(app.root).names.size, 0)
})

test('memories end after a while, and are few', async () => {
  const clock = virtualClock()
  const memories = scanMemories(clock)
  const kept = memories.of('/one')
  assert.equal(memories.of('/one'), kept)
  await clock.advance(300_000)
  assert.notEqual(memories.of('/one'), kept)
  const again = memories.of('/one')
  for (const root of ['/two', '/three', '/four', '/five']) memories.of(root)
  assert.notEqual(memories.of('/one'), again)
})

test('property: whatever is done to a tree, a look with a memory finds what one without finds', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd/a', 'd/b', 'd/e/a')
  const step = fc.oneof(
    fc.record({ do: fc.constant('write' as const), name, text: fc.constantFrom('', 'x', 'yy') }),
    fc.record({ do: fc.constant('remove' as const), name }),
    fc.record({ do: fc.constant('rename' as const), name, to: name }),
    fc.record({ do: fc.constant('touch' as const), name }),
  )
  fc.assert(
    fc.property(fc.array(fc.array(step, { maxLength: 4 }), { maxLength: 8 }), (rounds) => {
      using app = place()
      mkdirSync(join(app.root, 'd/e'), { recursive: true })
      const memories = scanMemories(virtualClock())
      const files = { at: (path: string) => path, remembered: memories.of }
      for (const steps of rounds) {
        for (const one of steps) {
          const path = join(app.root, one.name)
          try {
            if (one.do === 'write') writeFileSync(path, one.text)
            else if (one.do === 'remove') rmSync(path)
            else if (one.do === 'rename') renameSync(path, join(app.root, one.to))
            else utimesSync(path, 1, 1)
          } catch {
            // Not there: nothing to do to it.
          }
        }
        // What was written a moment ago is never relied on, so every look is as good as the first.
        const now = { ...options, nowMs: Date.now() - 200 }
        assert.deepEqual(
          scanTree(app.root, { ...options, files, nowMs: Date.now() }).map(([path]) => path),
          scanTree(app.root, now).map(([path]) => path),
        )
      }
    }),
    { numRuns: 60 },
  )
})

test('others have their turn between any two files', async () => {
  using app = place()
  for (let number = 0; number < 50; number += 1) writeFileSync(join(app.root, `f${number}`), '')
  let turns = 0
  const files = {
    at: (path: string) => path,
    turn: async () => {
      turns += 1
    },
  }
  const entries = await scanTreeInTurns(app.root, { ...options, files })
  assert.equal(turns, 50)
  assert.deepEqual(entries, scanTree(app.root, options))
})
