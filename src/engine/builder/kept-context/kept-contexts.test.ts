import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import fc from 'fast-check'

import { systemRandom, virtualClock } from '#base'
import { bytesOfText, EMPTY_BYTES } from '#oci/tar'

import { gather } from '../fake-ports.ts'
import type { BuildContext } from '../context.ts'
import { createKeptContexts, type ContextEntry, type KeptContexts } from './index.ts'

type Files = Readonly<Record<string, string>>

function rig() {
  const directory = mkdtempSync(join(tmpdir(), 'contexts-'))
  const clock = virtualClock(1_700_000_000_000)
  const open = () => createKeptContexts({ directory, clock, random: systemRandom() })
  return { directory, clock, open, contexts: open(), [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }) }
}

function entriesOf(files: Files): ContextEntry[] {
  return Object.entries({ Dockerfile: 'FROM scratch', ...files }).map(([path, text]) => ({
    path: bytesOfText(path),
    type: 'file',
    mode: 0o644,
    sizeBytes: text.length,
    mtimeS: 1,
    linkname: EMPTY_BYTES,
    signature: text,
  }))
}

async function* bodiesOf(entries: readonly ContextEntry[], wanted: readonly number[], chunkBytes = 7) {
  const parts = wanted.flatMap((index) => {
    const body = Buffer.from(entries[index]?.signature ?? '')
    const length = Buffer.alloc(8)
    length.writeBigUInt64BE(BigInt(body.length))
    return [length, body]
  })
  const whole = Buffer.concat(parts)
  for (let at = 0; at < whole.length; at += chunkBytes) yield whole.subarray(at, at + chunkBytes)
}

async function send(
  contexts: KeptContexts,
  files: Files,
  key = 'here',
): Promise<{ readonly sent: readonly string[]; readonly content: Files }> {
  const entries = entriesOf(files)
  const { session, wanted } = await contexts.compare(key, entries)
  await using context = await contexts.receive(session, bodiesOf(entries, wanted), { dockerfilePath: 'Dockerfile' })
  return { sent: wanted.map((index) => entries[index]?.path ?? ''), content: await contentOf(context) }
}

async function contentOf({ tree }: Pick<BuildContext, 'tree'>): Promise<Files> {
  const found: Record<string, string> = {}
  for (const name of await tree.list(EMPTY_BYTES)) found[name] = (await gather(tree.read(name))).toString()
  return found
}

test('only what changed is sent again, over a restart too', async () => {
  using at = rig()
  assert.deepEqual((await send(at.contexts, { a: '1', b: '2' })).sent, ['Dockerfile', 'a', 'b'])
  const second = await send(at.contexts, { a: '1', b: 'two' })
  assert.deepEqual([second.sent, second.content], [['b'], { Dockerfile: 'FROM scratch', a: '1', b: 'two' }])
  assert.deepEqual((await send(at.open(), { a: '1', b: 'two' })).sent, [])
  assert.deepEqual((await send(at.contexts, { a: '1', b: 'two' }, 'elsewhere')).sent, ['Dockerfile', 'a', 'b'])
})

test('whatever changes from build to build, the context is what the client has', async () => {
  const names = fc.constantFrom('a', 'b', 'c', 'd')
  await fc.assert(
    fc.asyncProperty(fc.array(fc.dictionary(names, fc.string({ maxLength: 30 })), { maxLength: 6 }), async (steps) => {
      using at = rig()
      for (const files of steps) {
        const { content } = await send(at.contexts, files)
        const { Dockerfile: _, ...rest } = content
        const sent = Object.fromEntries(Object.entries(files).map(([name, text]) => [name, Buffer.from(text).toString()]))
        assert.deepEqual(rest, sent)
      }
    }),
    { numRuns: 30 },
  )
})

test('a pack that lost its end is not believed', async () => {
  using at = rig()
  await send(at.contexts, { a: 'some content' })
  const [home = ''] = readdirSync(at.directory)
  truncateSync(join(at.directory, home, 'pack.0'), 5)
  assert.deepEqual((await send(at.open(), { a: 'some content' })).sent, ['Dockerfile', 'a'])
})

test('bodies that do not fit what was asked for are refused, and nothing of them is believed later', async () => {
  using at = rig()
  const entries = entriesOf({ a: 'content of a' })
  for (const wrong of [[0], [0, 1, 1]]) {
    const { session } = await at.contexts.compare('here', entries)
    await assert.rejects(at.contexts.receive(session, bodiesOf(entries, wrong), { dockerfilePath: 'Dockerfile' }), {
      code: 'build.context_invalid',
    })
  }
  assert.deepEqual((await send(at.contexts, { a: 'content of a' })).content['a'], 'content of a')
})

test('a session is good once, and for ten minutes', async () => {
  using at = rig()
  const entries = entriesOf({})
  const { session, wanted } = await at.contexts.compare('here', entries)
  const receive = async () =>
    await dispose(await at.contexts.receive(session, bodiesOf(entries, wanted), { dockerfilePath: 'Dockerfile' }))
  await receive()
  await assert.rejects(receive(), { code: 'build.session_unknown' })
})

async function dispose(context: BuildContext): Promise<void> {
  await context[Symbol.asyncDispose]()
}

test('paths that name nothing in a tree are refused', async () => {
  using at = rig()
  for (const path of ['../x', '/etc', 'a//b', 'a/./b', 'a\0b'])
    await assert.rejects(at.contexts.compare('here', entriesOf({ [path]: '' })), { code: 'build.context_invalid' }, path)
})

test('contexts that were not used for longest go first', async () => {
  using at = rig()
  await send(at.contexts, { a: 'x'.repeat(100) }, 'old')
  await at.clock.advance(1000)
  await send(at.contexts, { a: 'y'.repeat(100) }, 'new')
  assert.ok((await at.contexts.prune(150)) >= 100)
  assert.deepEqual((await send(at.contexts, { a: 'y'.repeat(100) }, 'new')).sent, [])
  assert.deepEqual((await send(at.contexts, { a: 'x'.repeat(100) }, 'old')).sent, ['Dockerfile', 'a'])
})

test('a directory beside the context is kept in the same way, and read as it is', async () => {
  using at = rig()
  const look = async (contexts: KeptContexts, files: Files) => {
    const entries = entriesOf(files)
    const { session, wanted } = await contexts.compare('beside', entries)
    const stored = wanted.length === 0 ? session : await contexts.store(session, bodiesOf(entries, wanted))
    await using opened = await contexts.files(stored)
    return { sent: wanted.length, content: await contentOf(opened) }
  }
  const files = { '.dockerignore': 'a', a: 'one' }
  assert.deepEqual(await look(at.contexts, files), { sent: 3, content: { Dockerfile: 'FROM scratch', ...files } })
  assert.equal((await look(at.open(), files)).sent, 0)
  assert.equal((await look(at.contexts, { ...files, a: 'other' })).content['a'], 'other')
})

test('a session is opened once, and not before all that it wants is there', async () => {
  using at = rig()
  const entries = entriesOf({ a: 'x' })
  const { session, wanted } = await at.contexts.compare('beside', entries)
  await assert.rejects(at.contexts.files(session), /ends in the middle of a file/)
  await assert.rejects(at.contexts.files(session), { code: 'build.session_unknown' })
  const again = await at.contexts.compare('beside', entries)
  const stored = await at.contexts.store(again.session, bodiesOf(entries, wanted))
  await using _opened = await at.contexts.files(stored)
  await assert.rejects(at.contexts.files(stored), { code: 'build.session_unknown' })
})
