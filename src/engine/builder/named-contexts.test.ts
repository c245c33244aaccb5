import assert from 'node:assert/strict'
import { gzipSync } from 'node:zlib'
import { test } from 'node:test'

import { archiveTree } from './context.ts'
import { indexArchive } from './context-index.ts'
import { fakeMachine, streamOf, tarOf, type FakeFiles, type FakeMachine } from './fake-ports.ts'
import { buildImage, receiveContext } from './index.ts'
import { findNamedContext, type NamedContext } from './named-contexts.ts'
import { namedContext } from './open-named-context.ts'

const OPTIONS = { isHostNetworkAllowed: false, secrets: new Map(), sshAgent: undefined, signal: undefined }

async function build(machine: FakeMachine, dockerfile: string, contexts: Readonly<Record<string, string | NamedContext>>) {
  await using open = new AsyncDisposableStack()
  const named = new Map<string, NamedContext>()
  for (const [name, given] of Object.entries(contexts))
    named.set(name, typeof given === 'string' ? await namedContext(name, given, machine.ports, OPTIONS, open) : given)
  await using context = await receiveContext(streamOf(await tarOf({ Dockerfile: dockerfile, own: 'own' })), machine.ports)
  const { imageId } = await buildImage(machine.ports, { context: { ...context, named } }, () => undefined)
  const image = machine.image(imageId)
  return { image, files: await machine.files(image.diffIds) }
}

async function tree(machine: FakeMachine, files: FakeFiles): Promise<NamedContext> {
  const context = await receiveContext(streamOf(await tarOf({ Dockerfile: '', ...files })), machine.ports)
  return { kind: 'tree', tree: context.tree }
}

test('a named context stands for an image wherever its name is written', async () => {
  using machine = fakeMachine()
  await machine.addImage('other:1', { 'from-other': 'x' })
  const contexts = { alpine: 'docker-image://other:1' }
  for (const text of [
    'FROM alpine',
    'FROM docker.io/library/alpine:latest',
    'FROM scratch\nCOPY --from=alpine / /',
    'FROM x AS alpine',
  ])
    assert.equal((await build(machine, text, contexts)).files['from-other'], 'x', text)
  await build(machine, 'FROM alpine\nRUN --mount=type=bind,from=alpine,target=/x true', contexts)
  assert.deepEqual(
    machine.runs.at(-1)?.mounts.map(({ kind }) => kind),
    ['tree'],
  )
})

test('a directory is copied from, mounted, and begun with', async () => {
  using machine = fakeMachine()
  await machine.addImage('base', { b: '' })
  const contexts = { docs: await tree(machine, { 'a/page': 'text' }) }
  assert.deepEqual((await build(machine, 'FROM scratch\nCOPY --from=docs a /x', contexts)).files, { x: null, 'x/page': 'text' })
  const from = await build(machine, 'FROM docs\nCOPY own /', contexts)
  assert.equal(from.files['a/page'], 'text')
  assert.equal(from.image.diffIds.length, 2)
  assert.equal(from.image.history.filter((entry) => !entry.isEmptyLayer).length, 2)
  await build(machine, 'FROM base\nRUN --mount=type=bind,from=docs,source=a,target=/x true', contexts)
  assert.deepEqual(
    machine.runs.at(-1)?.mounts.map(({ kind }) => kind),
    ['tree'],
  )
})

test('target: stands for a stage of the file', async () => {
  using machine = fakeMachine()
  const text = 'FROM scratch AS one\nCOPY own /one\nFROM scratch\nCOPY --from=base /one /'
  assert.deepEqual((await build(machine, text, { base: 'target:one' })).files, { one: 'own' })
  await assert.rejects(build(machine, text, { base: 'target:none' }), { code: 'build.stage_not_found' })
})

test('addresses are fetched: repositories, archives and files', async () => {
  using machine = fakeMachine()
  machine.remote.repositories.set('https://git.test/r.git', { HEAD: { commit: 'a'.repeat(40), files: { 'd/f': 'git' } } })
  machine.remote.pages.set('https://files.test/a.tgz', { body: gzipSync(await tarOf({ f: 'archive' })) })
  machine.remote.pages.set('https://files.test/f', { body: 'file' })
  const text = 'FROM scratch\nCOPY --from=x f /'
  assert.deepEqual((await build(machine, text, { x: 'https://git.test/r.git#:d' })).files, { f: 'git' })
  assert.deepEqual((await build(machine, text, { x: 'https://files.test/a.tgz' })).files, { f: 'archive' })
  assert.deepEqual((await build(machine, text, { x: 'https://files.test/f' })).files, { f: 'file' })
})

test('what is no context is refused by name', async () => {
  using machine = fakeMachine()
  await assert.rejects(build(machine, 'FROM scratch', { x: 'oci-layout:///tmp/x' }), { code: 'build.unsupported' })
  await assert.rejects(build(machine, 'FROM scratch', { x: '/etc' }), { code: 'build.context_invalid' })
  await assert.rejects(build(machine, 'FROM scratch', { x: 'docker-image://UP per' }), { code: /^reference\./ })
})

test('names are compared as images are named', () => {
  const empty: NamedContext = {
    kind: 'tree',
    tree: archiveTree(
      indexArchive([], () => ''),
      { read: async function* () {} },
    ),
  }
  const contexts = new Map([['alpine', empty]])
  assert.equal(findNamedContext(contexts, 'alpine:latest'), empty)
  assert.equal(findNamedContext(contexts, 'Alpine'), empty)
  assert.equal(findNamedContext(contexts, 'alpine:3'), undefined)
  assert.equal(findNamedContext(contexts, ''), undefined)
})
