import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'

import { connectUnix } from './connect-unix.ts'

for (const [what, name] of [
  ['short', 'short'],
  ['longer than an address may be', 'long'.repeat(40)],
] as const)
  test(`connects by a path that is ${what}, and who leaves without accepting is an error like no one there`, async () => {
    const root = mkdtempSync(join(tmpdir(), 'gb-'))
    const directory = join(root, name)
    mkdirSync(directory)
    const path = join(directory, 's')
    const server = createServer((accepted) => accepted.end('hello'))
    const before = process.cwd()
    // The path itself may be too long to listen on.
    process.chdir(directory)
    await new Promise<void>((resolve) => void server.listen('s', resolve))
    process.chdir(before)
    try {
      const socket = await connectUnix(path)
      const said = await text(socket)
      socket.destroy()
      assert.equal(said, 'hello')
      // It stands in the queue of the listener, and goes with it.
      const dialling = connectUnix(path)
      server.close()
      await assert.rejects(dialling, { code: 'ECONNRESET' })
      await assert.rejects(connectUnix(path), /ENOENT|ECONNREFUSED/)
    } finally {
      rmSync(root, { recursive: true })
    }
  })
