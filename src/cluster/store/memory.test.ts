import assert from 'node:assert/strict'
import { test } from 'node:test'

import { isKind, virtualClock } from '#base'

import { clusterStoreExam } from '../../../test/exam/cluster-store.ts'
import { memoryStore } from './memory.ts'

clusterStoreExam({
  name: 'memory',
  open: async () => {
    const clock = virtualClock()
    return await Promise.resolve({ store: memoryStore(clock), advance: async (ms) => await clock.advance(ms) })
  },
})

test('memory: who is behind what was let go of is told to read anew', async () => {
  await using store = memoryStore(virtualClock())
  await store.write({ puts: [{ key: 'a', value: 1 }] })
  await store.write({ puts: [{ key: 'a', value: 2 }] })
  store.compact()
  const watching = store.watch('', 1, new AbortController().signal)[Symbol.asyncIterator]()
  await assert.rejects(watching.next(), (error) => isKind(error, 'conflict'))
})
