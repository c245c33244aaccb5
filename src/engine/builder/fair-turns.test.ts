import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { fairTurns } from './fair-turns.ts'

test('a build with one step waits for one turn of another, however many that one has', async () => {
  const turns = fairTurns(1)
  const large = {}
  const small = {}
  const done: string[] = []
  const work = (name: string) => async () => void done.push(name)
  const all = [1, 2, 3, 4].map((number) => turns.run(large, work(`large ${number}`)))
  all.push(turns.run(small, work('small')))
  await Promise.all(all)
  assert.deepEqual(done, ['large 1', 'large 2', 'small', 'large 3', 'large 4'])
})

test('whatever comes, all of it runs, never more at once than allowed, failures among it', async () => {
  const owners = [{}, {}, {}]
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.tuple(fc.integer({ min: 0, max: 2 }), fc.boolean()), { maxLength: 30 }),
      async (atOnce, works) => {
        const turns = fairTurns(atOnce)
        let running = 0
        let most = 0
        let ended = 0
        const results = works.map(([owner, fails]) =>
          turns.run(owners[owner] ?? {}, async () => {
            running += 1
            most = Math.max(most, running)
            await Promise.resolve()
            running -= 1
            ended += 1
            if (fails) throw new Error('as asked')
          }),
        )
        await Promise.allSettled(results)
        assert.equal(ended, works.length)
        assert.ok(most <= atOnce)
      },
    ),
  )
})
