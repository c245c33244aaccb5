import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'

import fc from 'fast-check'

import { GloveboxError } from '#base'
import { bytesOfText, type ByteString } from '#oci/tar'

import { receiveContext } from './context.ts'
import { emptyTree, type FileTree, type TreeEntry } from './file-tree.ts'
import { fakeMachine, gather, streamOf, tarOf } from './fake-ports.ts'
import { parseMode } from './modes.ts'
import { resolveOwner } from './owners.ts'
import { peek } from './receive-archive.ts'
import { resolvePath } from './resolve-path.ts'
import { openSpool } from './spool.ts'

test('modes are octal or symbolic', () => {
  const cases: readonly (readonly [text: string, before: number, type: 'file' | 'directory', after: number])[] = [
    ['755', 0o600, 'file', 0o755],
    ['04755', 0, 'file', 0o4755],
    ['u=rwX,go=rX', 0o600, 'file', 0o644],
    ['u=rwX,go=rX', 0o700, 'file', 0o755],
    ['u=rwX,go=rX', 0o600, 'directory', 0o755],
    ['+x', 0o644, 'file', 0o755],
    ['a-w', 0o666, 'file', 0o444],
    ['g=u', 0o750, 'file', 0o770],
    ['u+s,+t', 0o755, 'file', 0o5755],
    ['go-rwx', 0o777, 'file', 0o700],
    ['u=', 0o755, 'file', 0o055],
    ['u+r-w', 0o200, 'file', 0o400],
    ['g=rx', 0o2770, 'directory', 0o2750],
  ]
  for (const [text, before, type, after] of cases)
    assert.equal(parseMode(text)?.(before, type).toString(8), after.toString(8), text)
  for (const bad of ['', '8', '77777', 'rwx', 'u', 'u=q', 'u=r,', '0x1']) assert.equal(parseMode(bad), undefined, bad)
})

test('a mode stays within its twelve bits', () => {
  const clause = fc.stringMatching(/^[ugoa]{0,2}[-+=][rwxXst]{0,3}$/)
  const modes = fc.tuple(fc.array(clause, { minLength: 1, maxLength: 3 }), fc.integer({ min: 0, max: 0o7777 }))
  fc.assert(
    fc.property(modes, ([clauses, mode]) => {
      const after = parseMode(clauses.join(','))?.(mode, 'file') ?? -1
      return after >= 0 && after <= 0o7777
    }),
  )
})

test('an owner is refused when its number is none or its name unknown', async () => {
  for (const bad of ['', ':', 'a:b:c', '-1', '4294967295', '99999999999999999999', 'nobody', '1:', '1:staff'])
    await assert.rejects(resolveOwner(bad, emptyTree()), { code: 'build.owner_unknown' }, bad)
  assert.deepEqual(await resolveOwner('5', emptyTree()), { uid: 5, gid: 5 })
  assert.deepEqual(await resolveOwner('5:6', emptyTree()), { uid: 5, gid: 6 })
})

/** A tree of links and directories alone: `name` to target, or null for a directory. */
function linkTree(links: Readonly<Record<string, string | null>>): FileTree {
  const entryOf = (target: string | null): TreeEntry => ({
    type: target === null ? 'directory' : 'symlink',
    mode: 0o755,
    uid: 0,
    gid: 0,
    sizeBytes: 0,
    mtimeS: 0,
    linkname: bytesOfText(target ?? ''),
    xattrs: [],
  })
  const tree = emptyTree()
  return {
    ...tree,
    lstat: async (path) => {
      if (path === '') return entryOf(null)
      const target = links[path]
      return target === undefined ? undefined : entryOf(target)
    },
  }
}

test('links are followed inside the tree, and stop at its root', async () => {
  const tree = linkTree({ a: null, 'a/up': '../..', 'a/abs': '/b', b: null, out: '../../../etc', loop: 'loop', etc: null })
  const path = async (text: string, followsLast = true) => (await resolvePath(tree, bytesOfText(text), followsLast)).path
  assert.equal(await path('a/abs/x'), 'b/x')
  assert.equal(await path('a/up/a/up/b'), 'b')
  assert.equal(await path('out/passwd'), 'etc/passwd')
  assert.equal(await path('out', false), 'out')
  assert.equal(await path('../../missing/../x'), 'x')
  await assert.rejects(path('loop/x'), { code: 'build.copy_failed' })
})

test('no path resolves to something outside of its tree', async () => {
  const part = fc.constantFrom('..', '.', 'a', 'b', '', 'c')
  const text = fc.array(part, { maxLength: 6 }).map((parts) => parts.join('/'))
  const absolute = fc.tuple(fc.constantFrom('', '/'), text).map(([slash, rest]) => slash + rest)
  await fc.assert(
    fc.asyncProperty(
      fc.record({ a: absolute, b: absolute, 'a/c': fc.constant(null), c: fc.constant(null), 'c/a': absolute }),
      text,
      async (links, from) => {
        try {
          const { path } = await resolvePath(linkTree(links), bytesOfText(from), true)
          assert.ok(!path.startsWith('/') && path.split('/').every((name) => name !== '..' && name !== '.'), path)
        } catch (error) {
          assert.ok(error instanceof GloveboxError && error.code === 'build.copy_failed', String(error))
        }
      },
    ),
  )
})

test('a context is the same however it is cut into chunks', async () => {
  using machine = fakeMachine()
  const tar = await tarOf({ Dockerfile: 'FROM scratch', 'a/b': 'x'.repeat(3000), 'a/c': '', d: 'y'.repeat(512) })
  const seen = new Set<string>()
  for (const body of [tar, gzipSync(tar)])
    for (const chunkBytes of [1 + (body.length % 7), 513, 100_000]) {
      await using context = await receiveContext(streamOf(body, chunkBytes), machine.ports)
      const digests = ['a/b', 'a/c', 'd'].map((path) => context.tree.sha256(path as ByteString))
      const content = (await gather(context.tree.read('a/b' as ByteString))).length
      seen.add(JSON.stringify([digests, content]))
    }
  assert.equal(seen.size, 1)
})

test('a broken context is the error of whoever sent it', async () => {
  using machine = fakeMachine()
  const tar = await tarOf({ Dockerfile: 'FROM scratch', a: 'x'.repeat(5000) })
  const receive = (bytes: Buffer) => receiveContext(streamOf(bytes), machine.ports)
  await assert.rejects(receive(tar.subarray(0, 2000)), { code: 'tar.truncated' })
  await assert.rejects(receive(gzipSync(tar).subarray(0, 60)), { code: 'build.context_invalid' })
  await assert.rejects(receive(Buffer.from('BZh91AY')), { code: 'build.context_invalid' })
  await assert.rejects(receive(await tarOf({ x: 'y' })), { code: 'build.dockerfile_not_found' })
  await assert.rejects(receive(await tarOf({ Dockerfile: 'FROM x', '.dockerignore': '[' })), { code: 'pattern.invalid' })
})

test('looking at the head of a stream takes nothing from it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 50 }),
      fc.integer({ min: 1, max: 9 }),
      fc.nat(20),
      async (bytes, chunkBytes, headBytes) => {
        const source = Buffer.from(bytes)
        const { head, whole } = await peek(streamOf(source, chunkBytes), headBytes)
        assert.deepEqual(head, source.subarray(0, headBytes))
        assert.deepEqual(await gather(whole), source)
      },
    ),
  )
})

test('a spool gives back any part of what was put in', async () => {
  using machine = fakeMachine()
  await using spool = await openSpool(machine.ports.spoolDirectory, machine.ports.random)
  const bytes = Buffer.from(Array.from({ length: 3_000_000 }, (_, index) => index % 251))
  for await (const chunk of streamOf(bytes)) await spool.append(chunk)
  for (const [offset, size] of [
    [0, 10],
    [5, 0],
    [1_048_570, 20],
    [2_999_999, 1],
    [100, 2_500_000],
    [50, 60],
  ] as const)
    assert.ok((await gather(spool.read(offset, size))).equals(bytes.subarray(offset, offset + size)), `${offset} ${size}`)
})
