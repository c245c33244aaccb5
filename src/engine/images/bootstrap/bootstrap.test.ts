import assert from 'node:assert/strict'
import { existsSync, writeFileSync, writeSync } from 'node:fs'
import { test } from 'node:test'

import fc from 'fast-check'

import { bytesOfText, textOfBytes, type TarEntry } from '#oci/tar'

import { gather, imagesRig, tarOf } from '../test-rig.ts'
import { planRootfs } from './rootfs-plan.ts'
import { PUBLIC_MIRRORS, readDebianBase, readMirrors, releaseDateS, sourcesOf } from './suites.ts'
import { hostTools, type BootstrapTools } from './tools.ts'

const EPOCH_S = 1_783_765_000

test('the releases of Debian are known by name and number, others are refused with advice', () => {
  const suites = (ref: string) => sourcesOf(readDebianBase(ref), PUBLIC_MIRRORS).map(({ suite }) => suite)
  assert.deepEqual(suites('debian:bookworm'), ['bookworm', 'bookworm-updates', 'bookworm-security'])
  assert.deepEqual(suites('docker.io/library/debian:13-slim'), ['trixie', 'trixie-updates', 'trixie-security'])
  assert.deepEqual(suites('debian'), ['stable', 'stable-updates', 'stable-security'])
  assert.deepEqual(suites('debian:unstable'), ['sid'])
  assert.ok(readDebianBase('debian:sid-slim').isSlim)
  for (const ref of [
    'alpine:3',
    'debian:potato',
    'debian:slim',
    'debian:bookworm-backports',
    'example.org/debian:bookworm',
    'debian:__proto__',
  ])
    assert.throws(() => readDebianBase(ref), { code: 'image.bootstrap_unknown', hint: /debian:bookworm/ }, ref)
})

test('the mirror of this machine is taken, and places that are not Debian are not', () => {
  const text = [
    'https://deb.nodesource.example/node_20.x/ nodistro main',
    'http://mirror.example.net/debian-security/ bookworm-security main',
    'http://mirror.example.net/pub/debian/ bookworm main',
    'http://other.example.net/debian/ bookworm-updates main',
  ].join('\n')
  assert.deepEqual(readMirrors(text), {
    archive: 'http://mirror.example.net/pub/debian',
    security: 'http://mirror.example.net/debian-security',
  })
  assert.deepEqual(readMirrors(''), PUBLIC_MIRRORS)
  assert.deepEqual(readMirrors('file:/srv/debian/ bookworm main\ncdrom:[x]/debian bookworm main'), PUBLIC_MIRRORS)
})

test('the date of a release is read', () => {
  assert.equal(releaseDateS('Suite: x\nDate: Sat, 11 Jul 2026 10:16:37 UTC\n'), Date.UTC(2026, 6, 11, 10, 16, 37) / 1000)
  assert.equal(releaseDateS('no date'), undefined)
  assert.equal(releaseDateS('Date: soon'), undefined)
})

function entry(path: string, change: Partial<TarEntry> = {}): TarEntry {
  return {
    path: bytesOfText(path),
    type: 'file',
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: 10,
    mtimeS: EPOCH_S + 100,
    mtimeNs: 5,
    linkname: bytesOfText(''),
    devMajor: 0,
    devMinor: 0,
    xattrs: [],
    dataOffset: 512,
    headerOffset: 0,
    ...change,
  }
}

const directory = (path: string) => entry(path, { type: 'directory', size: 0 })

test('what belongs to one run or one machine is left out, what packages need stays', () => {
  const paths = (ref: string, entries: readonly TarEntry[]) =>
    planRootfs(entries, readDebianBase(ref), EPOCH_S)
      .filter(({ body }) => body === null || !('bytes' in body))
      .map((member) => textOfBytes(member.entry.path))
  const entries = [
    directory('dev'),
    entry('dev/null', { type: 'char' }),
    entry('etc/hostname'),
    entry('etc/resolv.conf'),
    entry('etc/machine-id'),
    entry('etc/passwd'),
    entry('etc/passwd-'),
    entry('etc/apt/sources.list'),
    entry('etc/apt/apt.conf.d/99mmdebstrap'),
    directory('run/lock'),
    entry('run/utmp'),
    directory('var/lib/apt/lists/partial'),
    entry('var/lib/apt/lists/x_InRelease'),
    entry('var/log/dpkg.log'),
    entry('var/log/wtmp', { size: 0 }),
    entry('var/cache/ldconfig/aux-cache'),
    entry('usr/share/doc/bash/copyright'),
    entry('usr/share/doc/bash/README'),
    directory('usr/share/man/man1'),
    entry('usr/share/man/man1/bash.1.gz'),
  ]
  const kept = [
    'dev',
    'etc/passwd',
    'run/lock',
    'var/lib/apt/lists/partial',
    'var/log/wtmp',
    'usr/share/doc/bash/copyright',
    'usr/share/doc/bash/README',
    'usr/share/man/man1',
    'usr/share/man/man1/bash.1.gz',
  ]
  const added = (all: readonly string[]) =>
    all.filter((path) => !['etc/apt', 'etc', 'usr', 'usr/sbin'].includes(path) && !/^etc\/(?:apt|dpkg)/.test(path))
  assert.deepEqual(added(paths('debian:bookworm', entries)), kept)
  assert.deepEqual(
    added(paths('debian:bookworm-slim', entries)),
    kept.filter((path) => !/README|bash\.1/.test(path)),
  )
})

test('a link to something that is left out is an error and not a broken image', () => {
  const entries = [entry('usr/share/man/a'), entry('usr/bin/a', { type: 'hardlink', linkname: bytesOfText('usr/share/man/a') })]
  assert.throws(() => planRootfs(entries, readDebianBase('debian:sid-slim'), EPOCH_S), { code: 'image.bootstrap_failed' })
})

test('property: no time is after the epoch, nothing is in it twice, parents of added files are there', () => {
  const path = fc.constantFrom('etc', 'etc/apt', 'usr/sbin/policy-rc.d', 'var/log/x', 'a', 'a/b', 'usr')
  fc.assert(
    fc.property(fc.uniqueArray(path), fc.integer({ min: 0, max: 2 * EPOCH_S }), (paths, mtimeS) => {
      const entries = paths.map((one) =>
        entry(one, one.includes('policy') || one.includes('x') ? { mtimeS } : { type: 'directory', mtimeS, size: 0 }),
      )
      const planned = planRootfs(entries, readDebianBase('debian:trixie-slim'), EPOCH_S)
      const names = planned.map((member) => textOfBytes(member.entry.path))
      assert.equal(new Set(names).size, names.length)
      for (const { entry: made } of planned) assert.ok((made.mtimeS ?? 0) <= EPOCH_S && (made.mtimeNs ?? 0) === 0)
      for (const name of names.filter((one) => /policy-rc|debian\.sources/.test(one)))
        assert.ok(
          names.indexOf(name.slice(0, name.lastIndexOf('/'))) < names.indexOf(name) &&
            names.includes(name.slice(0, name.lastIndexOf('/'))),
        )
    }),
  )
})

/** Does what the real programs do, with a root file system of three files. */
function fakeTools(
  options: { exitCode?: number; onRun?: (program: string, args: readonly string[]) => void } = {},
): BootstrapTools {
  return {
    run: async (program, args, { output, env, onLine }) => {
      options.onRun?.(program, args)
      if (program.endsWith('apt-helper')) writeFileSync(args.at(-1) ?? '', 'Date: Sat, 11 Jul 2026 10:16:37 UTC\n')
      if (program !== 'mmdebstrap') return { exitCode: 0, text: '', lastLines: [] }
      assert.equal(env?.['SOURCE_DATE_EPOCH'], String(Date.UTC(2026, 6, 11, 10, 16, 37) / 1000))
      onLine?.('I: extracting archives...')
      if (typeof output === 'number')
        writeSync(output, await tarOf({ 'etc/os-release': 'ID=debian\n', 'var/log/dpkg.log': String(process.hrtime.bigint()) }))
      const exitCode = options.exitCode ?? 0
      return { exitCode, text: '', lastLines: exitCode === 0 ? [] : ['E: cannot read the mirror'] }
    },
  }
}

test('the same packages give the same image, whatever the run left in its logs', async () => {
  const ids: string[] = []
  for (let run = 0; run < 2; run += 1) {
    using rig = imagesRig({ tools: fakeTools() })
    const progress = await gather(rig.images.bootstrap('debian:bookworm'))
    assert.ok(progress.some((one) => one.type === 'status' && one.text === 'Extracting archives'))
    const image = rig.images.get('debian:bookworm')
    assert.equal(image.created, '2026-07-11T10:16:37Z')
    assert.deepEqual(image.config.cmd, ['bash'])
    assert.deepEqual(rig.leftovers(), [])
    ids.push(image.id)
  }
  assert.equal(ids[0], ids[1])
})

test('a failure says the last lines and leaves nothing', async () => {
  using rig = imagesRig({ tools: fakeTools({ exitCode: 25 }) })
  await assert.rejects(gather(rig.images.bootstrap('debian:sid')), {
    code: 'image.bootstrap_failed',
    message: /mmdebstrap ended with 25\nE: cannot read the mirror$/,
  })
  assert.deepEqual([rig.leftovers(), rig.blobs(), rig.images.list()], [[], [], []])
})

test('a program that is not there is named, with how to get it', async () => {
  using rig = imagesRig()
  await assert.rejects(hostTools().run('glovebox-no-such-program', [], { clock: rig.clock, timeoutMs: 1000 }), {
    code: 'image.bootstrap_unavailable',
    hint: /apt-get install mmdebstrap/,
  })
  assert.ok(existsSync(rig.root))
})

test('a cancelled bootstrap ends its program', async () => {
  using rig = imagesRig()
  const abort = new AbortController()
  const running = hostTools().run('sleep', ['60'], { clock: rig.clock, timeoutMs: 60_000, signal: abort.signal })
  abort.abort()
  await assert.rejects(running, { code: 'operation.cancelled' })
  await assert.rejects(gather(rig.images.bootstrap('debian:sid', { signal: abort.signal })), { code: 'operation.cancelled' })
  assert.deepEqual(rig.leftovers(), [])
})
