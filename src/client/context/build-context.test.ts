import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { extract, type Header } from 'tar-stream'

import { buildContext } from './build-context.ts'

async function packed(
  directory: string,
  dockerfile?: string,
): Promise<{ headers: Header[]; texts: Map<string, string>; dockerfile: string }> {
  const context = await buildContext(directory, dockerfile)
  const headers: Header[] = []
  const texts = new Map<string, string>()
  const reader = extract()
  context.tar.on('error', (error) => reader.destroy(error))
  context.tar.pipe(reader)
  for await (const entry of reader) {
    headers.push(entry.header)
    let text = ''
    for await (const chunk of entry) text += String(chunk)
    texts.set(entry.header.name, text)
  }
  return { headers, texts, dockerfile: context.dockerfile }
}

function project(): { root: string } & Disposable {
  const top = mkdtempSync(join(tmpdir(), 'context-'))
  const root = join(top, 'app')
  mkdirSync(join(root, 'lib/deep'), { recursive: true })
  mkdirSync(join(root, 'node_modules/x'), { recursive: true })
  writeFileSync(join(root, 'Dockerfile'), 'FROM scratch\n')
  writeFileSync(join(root, 'lib/deep/run.sh'), 'echo\n')
  chmodSync(join(root, 'lib/deep/run.sh'), 0o755)
  symlinkSync('deep/run.sh', join(root, 'lib/link'))
  writeFileSync(join(root, 'node_modules/x/big'), 'x'.repeat(100))
  writeFileSync(join(root, 'empty'), '')
  writeFileSync(join(top, 'Outside'), 'FROM outside\n')
  return { root, [Symbol.dispose]: () => rmSync(top, { recursive: true }) }
}

test('a context keeps modes, links and empty files, and belongs to root', async () => {
  using app = project()
  const { headers, dockerfile } = await packed(app.root)
  const by = new Map(headers.map((header) => [header.name.replace(/\/$/, ''), header]))
  assert.equal(dockerfile, 'Dockerfile')
  assert.equal(by.get('lib/deep/run.sh')?.mode, 0o755)
  assert.equal(by.get('lib/link')?.linkname, 'deep/run.sh')
  assert.equal(by.get('empty')?.size, 0)
  assert.ok(headers.every((header) => header.uid === 0 && header.gid === 0))
})

test('an ignore file leaves things out but never the Dockerfile', async () => {
  using app = project()
  writeFileSync(join(app.root, '.dockerignore'), '*\n!lib\nlib/link\n')
  const { headers } = await packed(app.root)
  assert.deepEqual(
    headers.map((header) => header.name.replace(/\/$/, '')),
    ['.dockerignore', 'Dockerfile', 'lib', 'lib/deep', 'lib/deep/run.sh'],
  )
})

test('the ignore file of a Dockerfile wins over that of the context', async () => {
  using app = project()
  writeFileSync(join(app.root, '.dockerignore'), 'lib\n')
  writeFileSync(join(app.root, 'Dockerfile.dockerignore'), 'node_modules\n')
  const { headers } = await packed(app.root)
  const names = headers.map((header) => header.name)
  assert.ok(names.includes('lib/deep/run.sh') && !names.some((name) => name.startsWith('node_modules')))
})

test('a Dockerfile from outside of the context travels along', async () => {
  using app = project()
  const { texts, dockerfile } = await packed(app.root, join(app.root, '../Outside'))
  assert.equal(texts.get(dockerfile), 'FROM outside\n')
})

test('a missing Dockerfile is refused by its path', async () => {
  using app = project()
  await assert.rejects(buildContext(app.root, join(app.root, 'Nope')), /cannot read the Dockerfile .*Nope: ENOENT/)
})
