import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { missingDefaultLine, readUserRemap } from './subordinate-ids.ts'

const FILES = {
  passwd: 'root:x:0:0::/root:/bin/sh\nmia:x:1000:1000::/home/mia:/bin/sh\n',
  group: 'root:x:0:\nstaff:x:50:\n',
  subuid: '# ranges\nmia:200000:65536\n1000:300000:10\ndockremap:100000:65536\n',
  subgid: 'mia:200000:65536\nstaff:400000:65536\ndockremap:100000:65536\n',
}

test('ids inside count from 0 over all ranges that are the user’s, by name or number', () => {
  const ranges = [
    { insideId: 0, outsideId: 200_000, count: 65_536 },
    { insideId: 65_536, outsideId: 300_000, count: 10 },
  ]
  assert.deepEqual(readUserRemap('mia', FILES).uids, ranges)
  assert.deepEqual(readUserRemap('1000', FILES).uids, ranges)
  assert.deepEqual(readUserRemap('mia', FILES).gids, [ranges[0]])
  assert.deepEqual(readUserRemap('mia:staff', FILES).gids, [{ insideId: 0, outsideId: 400_000, count: 65_536 }])
  assert.deepEqual(readUserRemap('mia:50', FILES).gids, [{ insideId: 0, outsideId: 400_000, count: 65_536 }])
  assert.deepEqual(readUserRemap('default', FILES).uids, [{ insideId: 0, outsideId: 100_000, count: 65_536 }])
})

test('what is missing is named', () => {
  assert.throws(() => readUserRemap('nobody-here', FILES), /there is no user or group "nobody-here"/)
  assert.throws(() => readUserRemap('root', FILES), /\/etc\/subuid has no range for the user root/)
  assert.throws(() => readUserRemap('mia:root', FILES), /\/etc\/subgid has no range for the group root/)
  assert.throws(() => readUserRemap('', FILES), /give default, USER or USER:GROUP/)
  assert.throws(() => readUserRemap('mia:', FILES), /give default, USER or USER:GROUP/)
})

test('default gets ids behind those of all others, once', () => {
  assert.equal(missingDefaultLine(FILES.subuid), undefined)
  assert.equal(missingDefaultLine(''), 'dockremap:100000:65536\n')
  assert.equal(missingDefaultLine('mia:200000:65536\n'), 'dockremap:265536:65536\n')
})

test('safety: root and what is no id are never handed on, whatever the files say', () => {
  const number = fc.oneof(fc.nat(), fc.constantFrom(0, 2 ** 32 - 1, 2 ** 32, 9_999_999_999))
  const rows = fc.array(fc.tuple(fc.constantFrom('mia', '1000', 'x'), number, number))
  fc.assert(
    fc.property(rows, (all) => {
      const text = all.map((row) => row.join(':')).join('\n')
      try {
        const { uids } = readUserRemap('mia', { ...FILES, subuid: text, subgid: text })
        for (const { outsideId, count } of uids) assert.ok(outsideId > 0 && count > 0 && outsideId + count <= 2 ** 32 - 1)
      } catch (error) {
        assert.match(String(error), /has no range/)
      }
    }),
  )
})
