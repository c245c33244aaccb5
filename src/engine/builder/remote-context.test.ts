import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'

import fc from 'fast-check'

import { isKind } from '#base'

import { fakeMachine, tarOf, type FakeMachine } from './fake-ports.ts'
import { isRemoteContext, parseRemoteContext } from './remote/index.ts'
import { remoteContext } from './remote-context.ts'
import { readSmallFile } from './resolve-path.ts'
import { bytesOfText } from '#oci/tar'

const OPTIONS = { isHostNetworkAllowed: false, secrets: new Map(), sshAgent: undefined, signal: undefined }

async function look(machine: FakeMachine, address: string, path: string, options: object = {}) {
  await using context = await remoteContext(address, machine.ports, { ...OPTIONS, dockerfilePath: 'Dockerfile', ...options })
  const file = await readSmallFile(context.tree, bytesOfText(path), 1000)
  return { dockerfile: context.dockerfile.text, file: file?.toString('utf8'), count: context.fileCount }
}

test('a repository is a context, or the part of it that the address names, without what is ignored', async () => {
  using machine = fakeMachine()
  const files = { Dockerfile: 'whole', 'app/Dockerfile': 'part', 'app/a': 'x', 'app/b': 'y', 'app/.dockerignore': 'b' }
  machine.remote.repositories.set('https://git.example/shop.git', { HEAD: { commit: 'a'.repeat(40), files } })
  machine.remote.repositories.set('https://github.com/me/shop.git', { next: { commit: 'b'.repeat(40), files } })
  assert.equal((await look(machine, 'https://git.example/shop.git', 'app/a')).dockerfile, 'whole')
  assert.deepEqual(await look(machine, 'github.com/me/shop#next:app', 'a'), { dockerfile: 'part', file: 'x', count: 4 })
  assert.equal((await look(machine, 'https://git.example/shop.git#:app', 'b')).file, undefined)
  const other = await look(machine, 'https://git.example/shop.git', 'app/a', { dockerfilePath: 'app/Dockerfile' })
  assert.equal(other.dockerfile, 'part')
  const given = await look(machine, 'https://git.example/shop.git', 'app/a', {
    dockerfileText: 'FROM given',
    dockerfilePath: 'x',
  })
  assert.deepEqual([given.dockerfile, given.file], ['FROM given', 'x'])
})

test('an address over HTTP is an archive by its content, else the text of a Dockerfile', async () => {
  using machine = fakeMachine()
  const tar = await tarOf({ Dockerfile: 'from the archive', a: 'x' })
  machine.remote.pages.set('https://files.example/c.txt', { body: gzipSync(tar) })
  machine.remote.pages.set('https://files.example/d', { body: 'FROM text' })
  machine.remote.pages.set('https://files.example/e', { body: Buffer.from([1, 0, 2]) })
  assert.deepEqual(await look(machine, 'https://files.example/c.txt', 'a'), {
    dockerfile: 'from the archive',
    file: 'x',
    count: 3,
  })
  const alone = await look(machine, 'https://files.example/d', 'a', { dockerfilePath: 'not/there' })
  assert.deepEqual(alone, { dockerfile: 'FROM text', file: undefined, count: 2 })
  await assert.rejects(look(machine, 'https://files.example/e', ''), /neither an archive nor the text of a Dockerfile/)
  await assert.rejects(look(machine, 'https://files.example/none', ''), /status 404/)
})

test('what is no address, or one that proves nothing, is refused by name', async () => {
  using machine = fakeMachine()
  await assert.rejects(look(machine, 'client-session', ''), /the build context "client-session": this is no address/)
  await assert.rejects(look(machine, 'git://host/x.git', ''), /git:\/\/ proves neither/)
  await assert.rejects(look(machine, 'https://me:secret@host/x.git', ''), /password/)
})

test('reading the address of a context throws nothing but errors of the author', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.webUrl({ withQueryParameters: true, withFragments: true })), (text) => {
      try {
        parseRemoteContext(text, 'the build context')
        assert.ok(isRemoteContext(text))
      } catch (error) {
        assert.ok(isKind(error, 'invalid') || isKind(error, 'unsupported'), String(error))
      }
    }),
  )
})
