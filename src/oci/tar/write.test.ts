import assert from 'node:assert/strict'
import { test } from 'node:test'

import { bytesOfText } from './bytes.ts'
import { packTar, type TarMember } from './pack.ts'
import { scanBuffer } from './tar-fixture.ts'
import { tarHeader } from './write.ts'

async function packed(members: readonly TarMember[]): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of packTar(members)) pieces.push(piece)
  return Buffer.concat(pieces)
}

test('an entry that ustar can hold takes one block, and pax holds just what it cannot', () => {
  const plain = { path: bytesOfText('a/b'), type: 'file', uid: 0o7777777, mtimeS: 1_700_000_000 } as const
  assert.equal(tarHeader(plain).length, 512)
  assert.equal(tarHeader({ ...plain, path: bytesOfText(`${'p'.repeat(155)}/${'n'.repeat(100)}`) }).length, 512)
  const big = tarHeader({ ...plain, uid: 0o10000000 }).toString('latin1')
  assert.equal(big.length, 1536)
  assert.match(big, /\n?15 uid=2097152\n\0/)
  assert.doesNotMatch(big, /gid=|mtime=|path=/)
})

test('a pax record counts the digits of its own length', () => {
  for (let length = 80; length < 110; length += 1) {
    const path = bytesOfText(`${'x'.repeat(101)}/${'y'.repeat(length)}/${'z'.repeat(120)}`)
    assert.equal(scanBuffer(Buffer.concat([tarHeader({ path, type: 'file' }), Buffer.alloc(1024)]))[0]?.path, path)
  }
})

test('an archive with bodies is read back, and a body of another size is an error', async () => {
  const body = Buffer.from('hello')
  const tar = await packed([
    { entry: { path: bytesOfText('f'), type: 'file', size: 5 }, body: [body.subarray(0, 2), body.subarray(2)] },
  ])
  const [entry] = scanBuffer(tar)
  assert.equal(tar.toString('utf8', entry?.dataOffset, (entry?.dataOffset ?? 0) + 5), 'hello')
  for (const size of [4, 6])
    await assert.rejects(packed([{ entry: { path: bytesOfText('f'), type: 'file', size }, body: [body] }]), {
      code: 'tar.truncated',
    })
})
