import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { startDaemon, type TestDaemon } from '../support/daemon.ts'
import { dockerClients, dockerOf, type Docker } from '../support/docker.ts'
import { busyboxTar } from '../support/image.ts'
import { run } from '../support/processes.ts'
import { archiveCall, archivePath, unpacked } from './archives-http.ts'
import { tarOf } from './snapshots-fixture.ts'

/** CVE-2018-15664: a link that is swapped in between looking a path up and using it led out of the container. */
const ROUNDS = 200
const BATCH = 10

let daemon: TestDaemon
let docker: Docker
let canary: string

before(async () => {
  daemon = await startDaemon()
  docker = dockerOf(daemon, dockerClients().at(-1) ?? '')
  await docker.must('import', await busyboxTar(daemon.directory), 'busybox')
  canary = mkdtempSync(join(tmpdir(), 'canary-'))
  writeFileSync(join(canary, 'secret'), 'of the host')
  mkdirSync(join(canary, 'sub'))
  const swap = join(daemon.directory, 'swap')
  const built = await run('gcc', ['-static', '-O2', '-o', swap, join(import.meta.dirname, 'archives-swap.c')])
  assert.equal(built.code, 0, built.stderr)
  chmodSync(swap, 0o755)
})

after(async () => {
  await docker('rm', '--force', 'swapper')
  await daemon.stop()
  rmSync(canary, { recursive: true, force: true })
})

/** Everything that could tell that the canary was touched. */
function canaryState(): string {
  const names = readdirSync(canary, { recursive: true, encoding: 'utf8' }).toSorted()
  return JSON.stringify([
    names.map((name) => [name, statSync(join(canary, name)).mtimeMs, statSync(join(canary, name)).mode]),
    statSync(canary).mtimeMs,
    statSync(canary).uid,
    readFileSync(join(canary, 'secret'), 'utf8'),
  ])
}

/** A container in which `/job/dir` is in turn a directory and a link to the canary's path, where it has a directory of its own. */
async function startSwapping(link: string): Promise<void> {
  const script = [
    `mkdir -p /job/dir/sub ${canary}/sub`,
    'echo -n of the directory > /job/dir/secret',
    `echo -n of the container > ${canary}/secret`,
    `ln -s ${link} /job/link`,
    'exec /swap /job/dir /job/link',
  ].join('; ')
  await docker.must(
    'run',
    '-d',
    '--name',
    'swapper',
    '-v',
    `${join(daemon.directory, 'swap')}:/swap:ro`,
    'busybox',
    '/bin/sh',
    '-c',
    script,
  )
}

const INSIDE: ReadonlySet<string> = new Set(['of the directory', 'of the container'])

for (const [kind, linkOf] of [
  ['an absolute link', () => canary],
  ['a link that climbs', () => `${'../'.repeat(20)}${canary.slice(1)}`],
] as const) {
  test(`nothing comes out of or gets into the host's canary while a directory and ${kind} to it are swapped`, async () => {
    const before = canaryState()
    await startSwapping(linkOf())
    const seen = new Map<string, number>()
    const note = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1)
    const tar = tarOf([
      { path: 'fresh', body: 'from outside' },
      { path: 'sub', type: 'directory', mode: 0o755 },
      { path: 'sub/fresh', body: 'from outside' },
      { path: 'secret.link', type: 'hardlink', mode: 0o644, linkname: 'fresh' },
    ])
    const once = async () => {
      const file = await archiveCall(daemon.socketPath, 'GET', archivePath('swapper', '/job/dir/secret'))
      const text = file.status === 200 ? unpacked(file.body).get('secret') : undefined
      if (text !== undefined) assert.ok(INSIDE.has(text), `read ${JSON.stringify(text)}`)
      note(`file: ${text ?? file.status}`)
      const tree = await archiveCall(daemon.socketPath, 'GET', archivePath('swapper', '/job/dir/.'))
      for (const held of unpacked(tree.body).values())
        if (held.startsWith('of ')) assert.ok(INSIDE.has(held), `read ${JSON.stringify(held)}`)
      const put = await archiveCall(daemon.socketPath, 'PUT', archivePath('swapper', '/job/dir'), tar)
      note(`put: ${put.status}`)
    }
    for (let round = 0; round < ROUNDS; round += BATCH) await Promise.all(Array.from({ length: BATCH }, once))
    assert.equal(canaryState(), before)
    // Both sides were met, so the swap was going on all the time; and what was put is where the container sees it.
    for (const text of INSIDE) assert.ok((seen.get(`file: ${text}`) ?? 0) > 0, `never read ${text}: ${JSON.stringify([...seen])}`)
    assert.ok((seen.get('put: 200') ?? 0) > 0, JSON.stringify([...seen]))
    assert.equal(await docker.must('exec', 'swapper', '/bin/cat', `${canary}/fresh`), 'from outside')
    await docker.must('rm', '--force', 'swapper')
  })
}

test('a container cannot make its files take part in the copy: no program or library of the image is run', async () => {
  // CVE-2019-14271: the helper loaded libnss of the container. Ours is static; everything executable of the image is poisoned here.
  await docker.must('run', '-d', '--name', 'swapper', 'busybox', '/bin/busybox', 'sleep', '1000')
  const poison = tarOf(
    [
      'lib/x86_64-linux-gnu/libnss_files.so.2',
      'lib64/ld-linux-x86-64.so.2',
      'etc/nsswitch.conf',
      'etc/ld.so.preload',
      'bin/tar',
      'bin/sh',
    ].map((path) => ({ path, mode: 0o755, body: '#!/bin/busybox sh\n/bin/busybox touch /poisoned\n' })),
  )
  assert.equal((await archiveCall(daemon.socketPath, 'PUT', archivePath('swapper', '/'), poison)).status, 200)
  assert.equal((await archiveCall(daemon.socketPath, 'PUT', archivePath('swapper', '/tmp'), poison)).status, 200)
  assert.equal((await archiveCall(daemon.socketPath, 'GET', archivePath('swapper', '/etc'))).status, 200)
  assert.equal((await archiveCall(daemon.socketPath, 'HEAD', archivePath('swapper', '/poisoned'))).status, 404)
  await docker.must('rm', '--force', 'swapper')
})
