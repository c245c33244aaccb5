import assert from 'node:assert/strict'
import {
  chmodSync,
  createReadStream,
  existsSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'

import { silentLog, type Digest } from '#base'
import { createSnapshots, type LayerKind, type Snapshots } from '#engine/snapshots'
import { layerMerge } from '#oci/erofs'
import { scanTar, tarPushScanner, textOfBytes, type TarEntry } from '#oci/tar'

import { hostFixture } from './host-fixture.ts'
import { describeTree, tarOf, writeTar, type Entry } from './snapshots-fixture.ts'

/** What every way of keeping layers must do, with real mounts. */
export function snapshotsExam(kind: LayerKind): void {
  const { host, root } = hostFixture()
  let places = 0

  const open = async (place: string): Promise<Snapshots> => {
    const snapshots = createSnapshots({ root: join(root, place), host, log: silentLog(), kind })
    await snapshots.recover()
    return snapshots
  }
  const fresh = async (): Promise<{ snapshots: Snapshots; place: string }> => {
    places += 1
    const place = `s${places}`
    return { snapshots: await open(place), place }
  }
  const add = async (snapshots: Snapshots, entries: readonly Entry[] | Buffer): Promise<Digest> => {
    const { diffId, path } = writeTar(root, Buffer.isBuffer(entries) ? entries : tarOf(entries))
    await snapshots.addLayer(diffId, path)
    rmSync(path)
    return diffId
  }
  const entriesOf = (tar: Buffer): TarEntry[] => [...scanTar((into, position) => tar.copy(into, 0, position), tar.length)]
  const changesIn = async (snapshots: Snapshots, id: string) => {
    const all: string[] = []
    for await (const { path, kind: change } of snapshots.changes(id)) all.push(`${change[0]?.toUpperCase()} ${path}`)
    return all
  }

  const BASE: readonly Entry[] = [
    { path: '', type: 'directory', mode: 0o755 },
    { path: 'etc', type: 'directory', mode: 0o755 },
    { path: 'etc/passwd', body: 'root:x:0:0::/root:/bin/sh\n', mode: 0o644 },
    { path: 'bin', type: 'directory', mode: 0o755 },
    {
      path: 'bin/su',
      body: 'su',
      mode: 0o4755,
      xattrs: { 'security.capability': Buffer.from('0100000200040000000000000000000000000000', 'hex') },
    },
    { path: 'bin/su2', type: 'hardlink', linkname: 'bin/su' },
    { path: 'tmp', type: 'directory', mode: 0o1777, uid: 12, gid: 70_000 },
    { path: 'data', type: 'directory', mode: 0o750 },
    { path: 'data/old', body: 'old' },
    { path: 'data/gone', body: 'gone' },
    { path: 'data/pipe', type: 'fifo', mode: 0o600 },
    { path: 'data/disk', type: 'block', mode: 0o600, devMajor: 8, devMinor: 300 },
    { path: 'link', type: 'symlink', linkname: '/etc/passwd' },
    { path: 'späße', body: 'utf-8' },
  ]

  test('a container sees its layers, and what it writes outlives an unmount and a restart of the daemon', async () => {
    const { snapshots, place } = await fresh()
    const base = await add(snapshots, BASE)
    const top = await add(snapshots, [{ path: 'data/.wh.gone' }, { path: 'data/new', body: 'new' }])
    const { rootfs } = snapshots.mountContainer({ id: 'c1', layers: [base, top] })
    assert.deepEqual(readdirSync(join(rootfs, 'data')).sort(), ['disk', 'new', 'old', 'pipe'])
    assert.equal(statSync(join(rootfs, 'bin/su')).mode & 0o7777, 0o4755)
    assert.equal(statSync(join(rootfs, 'bin/su')).ino, statSync(join(rootfs, 'bin/su2')).ino)
    assert.equal(host.files.lgetxattr(join(rootfs, 'bin/su'), 'security.capability')?.length, 20)
    assert.deepEqual(host.files.deviceNumbers(join(rootfs, 'data/disk')), { major: 8, minor: 300 })
    assert.equal(lstatSync(join(rootfs, 'tmp')).gid, 70_000)
    writeFileSync(join(rootfs, 'written'), 'kept')
    snapshots.unmountContainer('c1')
    assert.equal(existsSync(join(rootfs, 'written')), false)
    const again = await open(place)
    assert.deepEqual(again.containers(), [{ id: 'c1', layers: [base, top], isMounted: false, rootfs }])
    again.mountContainer({ id: 'c1', layers: [base, top] })
    assert.equal(readFileSync(join(rootfs, 'written'), 'utf8'), 'kept')
    await again.removeContainer('c1')
    assert.deepEqual(again.containers(), [])
    assert.deepEqual(host.mounts.list(rootfs), [])
  })

  test('after a restart the mounts that are there are adopted, and after a reboot they are made again', async () => {
    const { snapshots, place } = await fresh()
    const base = await add(snapshots, BASE)
    const { rootfs } = snapshots.mountContainer({ id: 'c1', layers: [base] })
    const target = join(root, `${place}-view`)
    mkdirSync(target)
    snapshots.mountReadOnly([base], target)
    const before = host.mounts.list(rootfs).map((mount) => mount.id)
    mkdirSync(join(root, place, 'layers', '.tmp-half'))
    mkdirSync(join(root, place, 'containers', '.tmp-half'))
    const restarted = await open(place)
    assert.deepEqual(
      host.mounts.list(rootfs).map((mount) => mount.id),
      before,
    )
    assert.equal(restarted.containers()[0]?.isMounted, true)
    assert.deepEqual(host.mounts.list(target), [], 'the view of a daemon that is gone is unmounted')
    assert.deepEqual(readdirSync(join(root, place, 'layers')), [base.slice('sha256:'.length)])
    assert.deepEqual(readdirSync(join(root, place, 'containers')), ['c1'])
    for (const mount of host.mounts.list(join(root, place)).toReversed()) host.mounts.unmount(mount.target, { lazy: true })
    const rebooted = await open(place)
    assert.equal(rebooted.containers()[0]?.isMounted, false)
    assert.equal(rebooted.hasLayer(base), true)
    rebooted.mountContainer({ id: 'c1', layers: [base] })
    assert.equal(readFileSync(join(rootfs, 'etc/passwd'), 'utf8'), 'root:x:0:0::/root:/bin/sh\n')
  })

  test('a container whose list of layers got lost keeps what it wrote', async () => {
    const { snapshots, place } = await fresh()
    const base = await add(snapshots, BASE)
    const { rootfs } = snapshots.mountContainer({ id: 'c1', layers: [base] })
    writeFileSync(join(rootfs, 'mine'), 'mine')
    snapshots.unmountContainer('c1')
    writeFileSync(join(root, place, 'containers/c1/layers.json'), '')
    const again = await open(place)
    assert.deepEqual(again.containers(), [])
    again.mountContainer({ id: 'c1', layers: [base] })
    assert.equal(readFileSync(join(rootfs, 'mine'), 'utf8'), 'mine')
  })

  test('a layer that was merged while it streamed in needs no second reading', async () => {
    const { snapshots } = await fresh()
    const { diffId, path } = writeTar(root, tarOf(BASE))
    const merge = layerMerge()
    const scanner = tarPushScanner((entry) => merge.add(entry))
    for await (const chunk of createReadStream(path, { highWaterMark: 700 })) scanner.push(chunk as Buffer)
    scanner.end()
    await snapshots.addLayer(diffId, path, { tree: merge.finish() })
    const { rootfs } = snapshots.mountContainer({ id: 'c1', layers: [diffId] })
    assert.equal(readFileSync(join(rootfs, 'data/old'), 'utf8'), 'old')
  })

  test('a layer in use stays, and one that nobody uses goes without a trace', async () => {
    const { snapshots, place } = await fresh()
    const base = await add(snapshots, BASE)
    snapshots.mountContainer({ id: 'c1', layers: [base] })
    await assert.rejects(snapshots.removeLayer(base), { code: 'snapshot.layer_in_use' })
    await snapshots.removeContainer('c1')
    await snapshots.removeLayer(base)
    assert.equal(snapshots.hasLayer(base), false)
    assert.deepEqual(readdirSync(join(root, place, 'layers')), [])
    assert.deepEqual(host.mounts.list(join(root, place)), [])
    assert.throws(() => snapshots.mountContainer({ id: 'c2', layers: [base] }), { code: 'snapshot.layer_not_found' })
    assert.deepEqual(readdirSync(join(root, place, 'containers')), [])
  })

  test('adding a layer twice at once makes it once, and a broken tar leaves nothing', async () => {
    const { snapshots, place } = await fresh()
    const { diffId, path } = writeTar(root, tarOf(BASE))
    const [first, second] = await Promise.all([snapshots.addLayer(diffId, path), snapshots.addLayer(diffId, path)])
    assert.deepEqual(first, second)
    assert.equal(first?.kind, kind)
    const bad = writeTar(root, tarOf([{ path: 'x', type: 'hardlink', linkname: 'nothing' }]))
    await assert.rejects(snapshots.addLayer(bad.diffId, bad.path), { code: 'layer.link_target_missing' })
    const cut = writeTar(root, tarOf(BASE).subarray(0, 1536 + 100))
    await assert.rejects(snapshots.addLayer(cut.diffId, cut.path), { code: 'tar.truncated' })
    assert.equal(readdirSync(join(root, place, 'layers')).length, 1)
  })

  test('changes names what was added, changed and deleted, and takes a replaced directory as new', async () => {
    const { snapshots } = await fresh()
    const base = await add(snapshots, [
      ...BASE,
      { path: 'dir/a', body: '' },
      { path: 'dir/b', body: '' },
      { path: 'sub/link', type: 'symlink', linkname: '/' },
    ])
    const { rootfs } = snapshots.mountContainer({ id: 'c1', layers: [base] })
    writeFileSync(join(rootfs, 'data/old'), 'changed')
    rmSync(join(rootfs, 'data/gone'))
    writeFileSync(join(rootfs, 'data/fresh'), '')
    rmSync(join(rootfs, 'dir'), { recursive: true })
    mkdirSync(join(rootfs, 'dir'))
    writeFileSync(join(rootfs, 'dir/b'), 'again')
    rmSync(join(rootfs, 'sub/link'))
    mkdirSync(join(rootfs, 'sub/link'))
    mkdirSync(join(rootfs, 'sub/link/etc'))
    assert.deepEqual(await changesIn(snapshots, 'c1'), [
      'M /data',
      'A /data/fresh',
      'D /data/gone',
      'M /data/old',
      'M /dir',
      'D /dir/a',
      'A /dir/b',
      'M /sub',
      'M /sub/link',
      'A /sub/link/etc',
    ])
  })

  test('the diff of a container, added as a layer, gives the same tree again and the same bytes each time', async () => {
    const { snapshots } = await fresh()
    const base = await add(snapshots, [...BASE, { path: 'dir/a', body: '' }, { path: 'dir/b', body: '' }])
    const { rootfs } = snapshots.mountContainer({ id: 'c1', layers: [base] })
    rmSync(join(rootfs, 'data/gone'))
    rmSync(join(rootfs, 'dir'), { recursive: true })
    mkdirSync(join(rootfs, 'dir'))
    writeFileSync(join(rootfs, 'dir/c'), 'c'.repeat(513))
    writeFileSync(join(rootfs, 'tool'), 'tool')
    host.files.lsetxattr(
      join(rootfs, 'tool'),
      'security.capability',
      Buffer.from('0100000200040000000000000000000000000000', 'hex'),
    )
    host.files.lsetxattr(join(rootfs, 'tool'), 'user.note', Buffer.from('note'))
    linkSync(join(rootfs, 'tool'), join(rootfs, 'tool-too'))
    symlinkSync('../outside', join(rootfs, 'new-link'))
    lutimesSync(join(rootfs, 'new-link'), 5, 1_234_567_890.5)
    chmodSync(join(rootfs, 'tmp'), 0o700)
    writeFileSync(join(rootfs, 'n'.repeat(255)), 'long name')
    host.files.mknod(join(rootfs, 'null'), 0o20666, { major: 1, minor: 3 })
    chmodSync(rootfs, 0o711)
    renameSync(join(rootfs, 'bin/su2'), join(rootfs, 'bin/moved'))
    const diff = await buffer(snapshots.diffTar('c1'))
    assert.ok(diff.equals(await buffer(snapshots.diffTar('c1'))))
    const names = entriesOf(diff).map((entry) => textOfBytes(entry.path))
    assert.ok(names.includes('data/.wh.gone') && names.includes('dir/.wh..wh..opq') && names.includes('bin/.wh.su2'))
    const seen = describeTree(host, rootfs)
    snapshots.unmountContainer('c1')
    const layer = await add(snapshots, diff)
    const target = join(root, 'replayed')
    mkdirSync(target)
    using _view = snapshots.mountReadOnly([base, layer], target)
    // Copying up parts hard links (the overlay has no index), so only their numbers differ.
    const plain = (lines: readonly string[]) => lines.map((line) => line.replace(/ links=.*? group=\d+/, ''))
    assert.deepEqual(plain(describeTree(host, target)), plain(seen))
    const second = snapshots.mountContainer({ id: 'c2', layers: [base, layer] })
    // A new container's root directory is new, so its time is.
    assert.deepEqual(plain(describeTree(host, second.rootfs)).slice(1), plain(seen).slice(1))
  })

  test('export gives the whole root, mounted or not', async () => {
    const { snapshots } = await fresh()
    const base = await add(snapshots, BASE)
    const { rootfs } = snapshots.mountContainer({ id: 'c1', layers: [base] })
    writeFileSync(join(rootfs, 'mine'), 'mine')
    rmSync(join(rootfs, 'data'), { recursive: true })
    const mounted = await buffer(snapshots.exportTar('c1'))
    const names = entriesOf(mounted).map((entry) => textOfBytes(entry.path))
    assert.ok(names.includes('mine') && names.includes('etc/passwd') && !names.includes('data'))
    snapshots.unmountContainer('c1')
    assert.ok(mounted.equals(await buffer(snapshots.exportTar('c1'))))
    assert.equal(snapshots.containers()[0]?.isMounted, false)
  })

  test('a file whose name would mean a deletion is refused in a diff', async () => {
    const { snapshots } = await fresh()
    const { rootfs } = snapshots.mountContainer({ id: 'c1', layers: [await add(snapshots, BASE)] })
    writeFileSync(join(rootfs, '.wh.etc'), '')
    await assert.rejects(buffer(snapshots.diffTar('c1')), { code: 'snapshot.name_reserved' })
  })

  test('an image whose /dev, /proc, /sys or /etc is not a directory is refused, and nothing stays mounted', async () => {
    const { snapshots, place } = await fresh()
    for (const name of ['dev', 'proc', 'sys', 'etc']) {
      const layer = await add(snapshots, [{ path: name, type: 'symlink', linkname: '/tmp' }])
      assert.throws(() => snapshots.mountContainer({ id: 'evil', layers: [layer] }), {
        code: 'snapshot.unsafe_mount_point',
        message: new RegExp(`/${name} of the image`),
      })
    }
    assert.deepEqual(host.mounts.list(join(root, place, 'containers')), [])
    assert.deepEqual(readdirSync(join(root, place, 'containers')), [])
  })

  test('hostile names stay inside the root and leave the host alone', async () => {
    const { snapshots, place } = await fresh()
    const canary = join(root, `${place}-canary`)
    mkdirSync(canary)
    writeFileSync(join(canary, 'f'), 'alive')
    const inside = canary.slice(1)
    const layer = await add(snapshots, [
      { path: 'a', type: 'symlink', linkname: '/' },
      { path: `a${canary}/x`, body: 'inside' },
      { path: 'up', type: 'symlink', linkname: '../../../../../..' },
      { path: `up${canary}/y`, body: 'inside' },
      { path: 'victim', type: 'symlink', linkname: canary },
      { path: 'victim/.wh.f' },
      { path: `${inside}/hard`, type: 'hardlink', linkname: `${inside}/x` },
      { path: 'fake', type: 'char', devMajor: 0, devMinor: 0 },
      { path: 'opaque', type: 'directory', xattrs: { 'trusted.overlay.opaque': 'y', 'trusted.overlay.redirect': '/etc' } },
    ])
    const { rootfs } = snapshots.mountContainer({
      id: 'c1',
      layers: [
        await add(snapshots, [
          { path: 'opaque/seen', body: '' },
          { path: 'fake', body: 'real' },
        ]),
        layer,
      ],
    })
    assert.deepEqual(readdirSync(canary), ['f'])
    assert.equal(readFileSync(join(canary, 'f'), 'utf8'), 'alive')
    assert.equal(readFileSync(join(rootfs, canary, 'x'), 'utf8'), 'inside')
    assert.equal(readFileSync(join(rootfs, canary, 'y'), 'utf8'), 'inside')
    assert.equal(readFileSync(join(rootfs, canary, 'hard'), 'utf8'), 'inside')
    assert.deepEqual(readdirSync(join(rootfs, 'opaque')), ['seen'])
    assert.equal(readFileSync(join(rootfs, 'fake'), 'utf8'), 'real')
    for (const path of ['../x', 'a/../../x']) {
      const bad = writeTar(root, tarOf([{ path, body: 'out' }]))
      await assert.rejects(snapshots.addLayer(bad.diffId, bad.path), { code: 'tar.malformed' })
    }
  })

  test('an opaque root hides the layers below, and an opaque directory what they have there', async () => {
    const { snapshots } = await fresh()
    const base = await add(snapshots, BASE)
    const middle = await add(snapshots, [{ path: 'data/only', body: '' }, { path: 'data/.wh..wh..opq' }])
    const top = await add(snapshots, [{ path: 'alone', body: '' }, { path: '.wh..wh..opq' }])
    assert.deepEqual(readdirSync(join(snapshots.mountContainer({ id: 'c1', layers: [base, middle] }).rootfs, 'data')), ['only'])
    assert.deepEqual(readdirSync(snapshots.mountContainer({ id: 'c2', layers: [base, top] }).rootfs), ['alone'])
  })

  test('no layer, one layer, a layer twice and 130 layers mount, writable and not', async () => {
    const { snapshots } = await fresh()
    const layers: Digest[] = []
    for (let index = 0; index < 130; index += 1) layers.push(await add(snapshots, [{ path: `f${index}`, body: String(index) }]))
    const first = layers.slice(0, 1)
    const cases = [[], first, [...first, ...layers.slice(1, 3), ...first], layers]
    for (const [index, digests] of cases.entries()) {
      const names = new Set(digests).size
      const writable = snapshots.mountContainer({ id: `w${index}`, layers: digests }).rootfs
      writeFileSync(join(writable, 'mine'), '')
      assert.equal(readdirSync(writable).length, names + 1)
      const fixed = snapshots.mountContainer({ id: `r${index}`, layers: digests, readOnly: true }).rootfs
      assert.equal(readdirSync(fixed).length, names)
      assert.throws(() => writeFileSync(join(fixed, 'mine'), ''), { code: 'EROFS' })
    }
  })

  test('usage counts what the container wrote and a hard link once', async () => {
    const { snapshots } = await fresh()
    const { rootfs } = snapshots.mountContainer({ id: 'c1', layers: [await add(snapshots, BASE)] })
    const before = await snapshots.usage('c1')
    writeFileSync(join(rootfs, 'big'), Buffer.alloc(1024 * 1024, 1))
    linkSync(join(rootfs, 'big'), join(rootfs, 'big-too'))
    const grown = (await snapshots.usage('c1')) - before
    assert.ok(grown >= 1024 * 1024 && grown < 1.2 * 1024 * 1024, `${grown} bytes`)
  })
}
