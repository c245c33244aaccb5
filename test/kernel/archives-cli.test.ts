import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { startDaemon, type TestDaemon } from '../support/daemon.ts'
import { busyboxTar } from '../support/image.ts'

let daemon: TestDaemon

before(async () => {
  daemon = await startDaemon()
  await must('image', 'import', await busyboxTar(daemon.directory), 'busybox')
  await must(
    'run',
    '-d',
    '--name',
    'web',
    'busybox',
    '/bin/sh',
    '-c',
    '/bin/mkdir -p /d/e; echo text > /d/e/f; /bin/ln -s /d /ld; exec /bin/sleep 1000',
  )
})

after(async () => await daemon.stop())

async function must(...words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await daemon.glovebox(...words)
  assert.equal(code, 0, `${words.join(' ')}: ${stderr}`)
  return stdout.trimEnd()
}

test('our own command line copies out', async () => {
  const to = join(daemon.directory, 'out')
  mkdirSync(to)
  await must('cp', 'web:/d/e/f', to)
  assert.equal(readFileSync(join(to, 'f'), 'utf8'), 'text\n')
  await must('cp', 'web:/d', join(to, 'new'))
  assert.equal(readFileSync(join(to, 'new/e/f'), 'utf8'), 'text\n')
  await must('cp', 'web:/d/.', join(to, 'content'))
  assert.deepEqual(readdirSync(join(to, 'content')), ['e'])
  await must('cp', '-L', 'web:/ld', join(to, 'followed'))
  assert.ok(statSync(join(to, 'followed')).isDirectory())
  await must('cp', 'web:/d', to)
  assert.equal(readFileSync(join(to, 'd/e/f'), 'utf8'), 'text\n')
  assert.ok((await must('cp', 'web:/d/e/f', '-')).includes('text\n\0'))
  const missing = await daemon.glovebox('cp', 'web:/none', to)
  assert.deepEqual([missing.code !== 0, /\/none does not exist in web/.test(missing.stderr)], [true, true])
  assert.deepEqual(
    readdirSync(to).filter((name) => name.startsWith('.')),
    [],
  )
})

test('our own command line copies in', async () => {
  const from = join(daemon.directory, 'in')
  mkdirSync(join(from, 'sub'), { recursive: true })
  writeFileSync(join(from, 'sub/one'), 'one\n')
  symlinkSync('sub/one', join(from, 'link'))
  await must('cp', from, 'web:/new')
  await must('cp', join(from, 'sub/one'), 'web:/ld')
  await must('cp', '-L', join(from, 'link'), 'web:/renamed')
  await must('cp', `${from}/.`, 'web:/tmp')
  assert.equal(
    await must('exec', 'web', '/bin/cat', '/new/sub/one', '/new/link', '/d/one', '/renamed', '/tmp/sub/one'),
    'one\none\none\none\none',
  )
  const refused = await daemon.glovebox('cp', from, 'web:/renamed')
  assert.match(refused.stderr, /is a file in web/)
  assert.notEqual((await daemon.glovebox('cp', from, join(daemon.directory, 'x'))).code, 0)
  assert.ok(!existsSync(join(daemon.directory, 'x')))
})

test('our own command line shows what changed and makes an image of it', async () => {
  assert.match(await must('diff', 'web'), /^A \/d\/e\/f$/m)
  assert.match(await must('commit', '-m', 'why', 'web', 'made:1'), /^sha256:[0-9a-f]{64}$/)
  assert.equal(await must('run', '--rm', 'made:1', '/bin/cat', '/d/e/f'), 'text')
})
