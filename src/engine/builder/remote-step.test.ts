import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { hash } from 'node:crypto'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'

import { fakeMachine, streamOf, tarOf, type FakeFiles, type FakeMachine } from './fake-ports.ts'
import { buildImage, receiveContext, type BuildEvent, type BuildRequest } from './index.ts'

type Options = Omit<Partial<BuildRequest>, 'context'>

async function build(machine: FakeMachine, dockerfile: string, options: Options = {}, files: FakeFiles = {}) {
  const events: BuildEvent[] = []
  await using context = await receiveContext(streamOf(await tarOf({ Dockerfile: dockerfile, ...files })), machine.ports)
  const { imageId } = await buildImage(machine.ports, { context, ...options }, (event) => events.push(event))
  const image = machine.image(imageId)
  const cached = events.flatMap((event) => (event.kind === 'step-done' && event.isCached ? [event.number] : []))
  const asked = machine.remote.asked.splice(0)
  return { image, cached, asked, files: await machine.files(image.diffIds), layers: image.diffIds }
}

const URL_OF_TOOL = 'https://files.test/dir/tool.txt'

test('ADD of an address writes a file for root alone, as old as the other end says', async () => {
  using machine = fakeMachine()
  machine.remote.pages.set(URL_OF_TOOL, { body: 'tool', lastModified: 'Wed, 21 Oct 2015 07:28:00 GMT' })
  const { files, layers, image } = await build(machine, `FROM scratch\nADD ${URL_OF_TOOL} /bin/`)
  assert.deepEqual(files, { bin: null, 'bin/tool.txt': 'tool' })
  const entry = await machine.entry(layers, 'bin/tool.txt')
  assert.deepEqual([entry?.mode, entry?.uid, entry?.mtimeS], [0o600, 0, 1_445_412_480])
  assert.match(image.history.at(-1)?.createdBy ?? '', /ADD https:\/\/files\.test\/dir\/tool\.txt \/bin\//)
  const named = await build(machine, `FROM scratch\nADD --chmod=755 --chown=7:8 ${URL_OF_TOOL} /bin/other`)
  const other = await machine.entry(named.layers, 'bin/other')
  assert.deepEqual([other?.mode, other?.uid, other?.gid], [0o755, 7, 8])
})

test('what an address holds decides, and an unchanged one is not downloaded again', async () => {
  using machine = fakeMachine()
  machine.remote.pages.set(URL_OF_TOOL, { body: 'one', etag: '"1"' })
  const text = `FROM scratch\nADD ${URL_OF_TOOL} /`
  assert.deepEqual((await build(machine, text)).asked, [`200 ${URL_OF_TOOL}`])
  const again = await build(machine, text)
  assert.deepEqual([again.cached, again.asked], [[2], [`304 ${URL_OF_TOOL}`]])
  machine.remote.pages.set(URL_OF_TOOL, { body: 'one', etag: '"2"' })
  assert.deepEqual((await build(machine, text)).cached, [2])
  machine.remote.pages.set(URL_OF_TOOL, { body: 'two', etag: '"3"' })
  const changed = await build(machine, text)
  assert.deepEqual([changed.cached, changed.asked, changed.files], [[], [`200 ${URL_OF_TOOL}`], { 'tool.txt': 'two' }])
})

test('a checksum names the content: it is fetched once and then not even asked for', async () => {
  using machine = fakeMachine()
  machine.remote.pages.set(URL_OF_TOOL, { body: 'tool' })
  const text = `FROM scratch\nADD --checksum=sha256:${hash('sha256', 'tool')} ${URL_OF_TOOL} /`
  assert.equal((await build(machine, text)).asked.length, 1)
  assert.deepEqual((await build(machine, text)).asked, [])
  const wrong = `FROM scratch\nADD --checksum=sha256:${'0'.repeat(64)} ${URL_OF_TOOL} /`
  await assert.rejects(build(machine, wrong), { code: 'build.checksum_mismatch', message: /^Dockerfile:2: / })
})

test('a download is unpacked only when asked, a local archive unless told otherwise', async () => {
  using machine = fakeMachine()
  const archive = gzipSync(await tarOf({ 'in/a': 'A' }))
  machine.remote.pages.set('https://files.test/a.tgz', { body: archive })
  const remote = await build(machine, 'FROM scratch\nADD https://files.test/a.tgz /x/')
  assert.deepEqual(Object.keys(remote.files), ['x', 'x/a.tgz'])
  const unpacked = await build(machine, 'FROM scratch\nADD --unpack=true --chmod=u=rwX,go= https://files.test/a.tgz /x/')
  assert.deepEqual(unpacked.files, { x: null, 'x/in': null, 'x/in/a': 'A' })
  assert.equal((await machine.entry(unpacked.layers, 'x/in/a'))?.mode, 0o600)
})

test('archives of xz and bzip2 are unpacked, and so is a context in xz', async () => {
  using machine = fakeMachine()
  const tar = await tarOf({ 'in/a': 'A' })
  for (const format of ['xz', 'bzip2']) {
    const packed = spawnSync(format, ['--compress', '--stdout'], { input: tar }).stdout
    machine.remote.pages.set('https://files.test/a', { body: packed })
    const { files } = await build(machine, 'FROM scratch\nADD --unpack=true https://files.test/a /x/')
    assert.deepEqual(files, { x: null, 'x/in': null, 'x/in/a': 'A' }, format)
  }
  const context = spawnSync('xz', ['--stdout'], { input: await tarOf({ Dockerfile: 'FROM scratch' }) }).stdout
  await using received = await receiveContext(streamOf(context), machine.ports)
  assert.equal(received.dockerfile.text, 'FROM scratch')
})

const REPOSITORY = 'https://git.test/shop.git'
const COMMIT = 'a'.repeat(40)

test('ADD of a repository takes the files of a commit, which is its content', async () => {
  using machine = fakeMachine()
  machine.remote.repositories.set(REPOSITORY, {
    HEAD: { commit: COMMIT, files: { 'README.md': 'read', 'src/main.ts': 'main' } },
    next: { commit: 'b'.repeat(40), files: { 'src/main.ts': 'next' } },
  })
  const whole = await build(machine, `FROM scratch\nADD ${REPOSITORY} /shop`)
  assert.deepEqual(whole.files, { shop: null, 'shop/README.md': 'read', 'shop/src': null, 'shop/src/main.ts': 'main' })
  const again = await build(machine, `FROM scratch\nADD ${REPOSITORY} /shop`)
  assert.deepEqual([again.cached, again.asked], [[2], [`commit ${REPOSITORY}`]])
  assert.deepEqual((await build(machine, `FROM scratch\nADD ${REPOSITORY}#next:src /x/`)).files, { x: null, 'x/main.ts': 'next' })
  const kept = await build(machine, `FROM scratch\nADD --keep-git-dir --checksum=aaaaaaa ${REPOSITORY} /`)
  assert.equal(kept.files['.git/HEAD'], `${COMMIT}\n`)
  const excluded = await build(machine, `FROM scratch\nADD --exclude=*.md ${REPOSITORY} /`)
  assert.deepEqual(Object.keys(excluded.files), ['src', 'src/main.ts'])
  await assert.rejects(build(machine, `FROM scratch\nADD --checksum=bbbbbbb ${REPOSITORY} /`), {
    code: 'build.checksum_mismatch',
  })
})

test('files and addresses stand in one ADD, and COPY takes no address', async () => {
  using machine = fakeMachine()
  machine.remote.pages.set(URL_OF_TOOL, { body: 'tool' })
  const { files } = await build(machine, `FROM scratch\nADD a ${URL_OF_TOOL} /x/`, {}, { a: 'local' })
  assert.deepEqual(files, { x: null, 'x/a': 'local', 'x/tool.txt': 'tool' })
  for (const text of [`COPY ${URL_OF_TOOL} /x`, 'ADD https://files.test/ /x/', `ADD --checksum=sha256:${'0'.repeat(64)} a /x`])
    await assert.rejects(
      build(machine, `FROM scratch\n${text}`),
      { code: 'build.instruction_invalid', message: /Dockerfile:2/ },
      text,
    )
})
