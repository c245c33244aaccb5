import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'

import { virtualClock } from '#base'
import { packTar, bytesOfText } from '#oci/tar'

import { directorySource, isAddress, remoteSource, streamSource, type BuildSource, type DockerfileChoice } from './index.ts'

interface Seen {
  readonly source: BuildSource
  readonly paths: readonly string[]
  readonly by: ReadonlyMap<string, readonly unknown[]>
  text(path: string): Promise<string>
}

async function seen(source: BuildSource): Promise<Seen> {
  const entries = await source.list()
  const by = new Map(entries.map((entry) => [entry[0], entry]))
  const text = async (path: string) => {
    const entry = by.get(path)
    assert.ok(entry !== undefined, path)
    const chunks: Buffer[] = []
    for await (const chunk of source.read(entry)) chunks.push(chunk)
    return Buffer.concat(chunks).toString('utf8')
  }
  return { source, paths: entries.map(([path]) => path), by, text }
}

const look = async (directory: string, dockerfile?: DockerfileChoice) =>
  await seen(await directorySource(directory, dockerfile, virtualClock()))

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

test('a context keeps modes, links and empty files', async () => {
  using app = project()
  const { by, source, text } = await look(app.root)
  assert.equal(source.dockerfile.path, 'Dockerfile')
  assert.deepEqual(by.get('lib/deep/run.sh')?.slice(1, 4), ['file', 0o755, 5])
  assert.deepEqual(by.get('lib/link')?.slice(5), ['', 'deep/run.sh'])
  assert.equal(by.get('empty')?.[3], 0)
  assert.equal(await text('lib/deep/run.sh'), 'echo\n')
})

test('directories come before what is in them', async () => {
  using app = project()
  const { paths } = await look(app.root)
  for (const path of paths)
    if (path.includes('/')) assert.ok(paths.indexOf(path.slice(0, path.lastIndexOf('/'))) < paths.indexOf(path), path)
})

test('names that are no text keep their bytes', async () => {
  using app = project()
  writeFileSync(Buffer.concat([Buffer.from(`${app.root}/lib/`), Buffer.from([0xff, 0x61])]), 'odd')
  writeFileSync(join(app.root, 'lib/grün'), 'green')
  const { text } = await look(app.root)
  assert.equal(await text('lib/\u00ffa'), 'odd')
  assert.equal(await text(`lib/${Buffer.from('grün').toString('latin1')}`), 'green')
})

test('an ignore file leaves things out but never the Dockerfile', async () => {
  using app = project()
  writeFileSync(join(app.root, '.dockerignore'), '*\n!lib\nlib/link\n')
  const { paths } = await look(app.root)
  assert.deepEqual(paths.toSorted(), ['.dockerignore', 'Dockerfile', 'lib', 'lib/deep', 'lib/deep/run.sh'])
})

test('the ignore file of a Dockerfile wins over that of the context', async () => {
  using app = project()
  writeFileSync(join(app.root, '.dockerignore'), 'lib\n')
  writeFileSync(join(app.root, 'Dockerfile.dockerignore'), 'node_modules\n')
  const { paths } = await look(app.root)
  assert.ok(paths.includes('lib/deep/run.sh') && !paths.some((path) => path.startsWith('node_modules')))
})

test('an ignored directory is not entered', async () => {
  using app = project()
  writeFileSync(join(app.root, '.dockerignore'), 'node_modules\n')
  // A pipe cannot be sent, and would be complained about.
  const server = createServer().listen(join(app.root, 'lib/socket'))
  const { paths } = await look(app.root)
  server.close()
  assert.ok(!paths.some((path) => path.startsWith('node_modules') || path.endsWith('socket')))
})

test('a Dockerfile from outside travels along with an ignore file that hides both', async () => {
  using app = project()
  writeFileSync(join(app.root, '.dockerignore'), 'lib\n')
  const { source, text } = await look(app.root, { path: join(app.root, '../Outside') })
  assert.equal(source.dockerfile.text, 'FROM outside\n')
  assert.equal(await text(source.dockerfile.path), 'FROM outside\n')
  assert.equal(
    await text(`${source.dockerfile.path}.dockerignore`),
    'lib\n\n.dockerfile.from-outside\n.dockerfile.from-outside.dockerignore\n',
  )
})

test('a Dockerfile can be given as text', async () => {
  using app = project()
  const { source, text } = await look(app.root, { text: 'FROM typed\n', shown: 'standard input' })
  assert.equal(await text(source.dockerfile.path), 'FROM typed\n')
})

test('a missing Dockerfile and a missing context are refused by their paths', async () => {
  using app = project()
  await assert.rejects(look(app.root, { path: join(app.root, 'Nope') }), /cannot read the Dockerfile .*Nope: ENOENT/)
  await assert.rejects(look(join(app.root, 'empty')), /empty is not a directory/)
})

test('a file that changes between the list and its reading ends it by name', async () => {
  using app = project()
  const context = await look(app.root)
  writeFileSync(join(app.root, 'lib/deep/run.sh'), 'echo\necho\n')
  await assert.rejects(context.text('lib/deep/run.sh'), /run.sh changed while it was sent/)
  rmSync(join(app.root, 'empty'))
  await assert.rejects(context.text('empty'), /empty changed while it was sent/)
})

test('the signature of a file that was written a moment ago is not relied on', async () => {
  using app = project()
  const clock = { nowMs: () => Date.now() }
  const first = await seen(await directorySource(app.root, undefined, clock))
  const later = await seen(await directorySource(app.root, undefined, { nowMs: () => Date.now() + 1000 }))
  assert.notEqual(first.by.get('empty')?.[5], later.by.get('empty')?.[5])
  assert.equal(await first.text('lib/deep/run.sh'), 'echo\n')
})

async function archive(): Promise<Buffer> {
  const chunks: Buffer[] = []
  const file = (path: string, text: string) => ({
    entry: { path: bytesOfText(path), type: 'file' as const, mode: 0o644, uid: 0, gid: 0, mtimeS: 1, size: text.length },
    body: [Buffer.from(text)],
  })
  for await (const chunk of packTar([
    file('Dockerfile', 'FROM scratch\n'),
    file('a', 'alpha'),
    file('sub/Other', 'FROM other\n'),
  ]))
    chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function* cut(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

test('an archive on the standard input is a context, plain or compressed', async () => {
  const tar = await archive()
  const through = (program: string) => spawnSync(program, ['--stdout'], { input: tar }).stdout
  for (const bytes of [tar, gzipSync(tar), through('xz'), through('bzip2')]) {
    const context = await seen(await streamSource(cut(bytes, 100), undefined))
    assert.equal(context.source.dockerfile.text, 'FROM scratch\n')
    assert.equal(await context.text('a'), 'alpha')
    await context.source[Symbol.asyncDispose]()
  }
  const other = await seen(await streamSource(cut(tar, 4096), { path: 'sub/Other' }))
  assert.equal(other.source.dockerfile.text, 'FROM other\n')
  await other.source[Symbol.asyncDispose]()
  await assert.rejects(streamSource(cut(tar, 4096), { path: 'Nope' }), /has no Dockerfile "Nope"/)
})

test('an address is told to the daemon, and nothing is listed of it', async () => {
  for (const place of ['https://h/x.git#main:a', 'github.com/me/x', 'git@host:x', 'ssh://host/x', 'HTTP://h/x.tar'])
    assert.ok(isAddress(place), place)
  for (const place of ['.', './github.com/x', '/srv/x', 'a@b', '-']) assert.ok(!isAddress(place), place)
  const inside = remoteSource('https://h/x.git', { path: './sub/../Other' })
  assert.deepEqual(inside.dockerfile, { path: 'Other', shown: 'Other', text: '' })
  assert.deepEqual(await inside.list(), [])
  assert.equal(remoteSource('https://h/x.git', { text: 'FROM x', shown: 'here' }).dockerfile.text, 'FROM x')
})

test('text on the standard input is a Dockerfile without a context, and nothing is an error', async () => {
  const context = await seen(await streamSource(cut(Buffer.from('FROM x\n'), 3), undefined))
  assert.deepEqual(context.paths, ['Dockerfile'])
  assert.equal(await context.text('Dockerfile'), 'FROM x\n')
  await assert.rejects(streamSource(cut(Buffer.alloc(0), 1), undefined), /neither a Dockerfile nor an archive/)
  await assert.rejects(streamSource(cut(Buffer.from('BZh91AY'), 3), undefined), /bzip2/)
})
