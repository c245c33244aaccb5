import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { type TestDaemon, startDaemon } from '../support/daemon.ts'
import { type Docker, dockerClients, dockerOf } from '../support/docker.ts'
import { busyboxTar } from '../support/image.ts'
import { run } from '../support/processes.ts'
import { blob, descriptor, digestOf, pushBlob, statusOf, TYPES } from '../conformance/wire.ts'
import { dockerPeer, freePort, registryPeers, selfSigned, type Peers } from './registry-peers.ts'

let peers: Peers
before(() => {
  peers = registryPeers()
})
after(() => peers[Symbol.dispose]())

/** Of TEST-NET-2 (RFC 5737): on this machine for the tests alone. For loopback addresses clients take any certificate. */
const ADDRESS = '198.51.100.77'

async function serving(
  address: string,
  flags: readonly string[] = [],
): Promise<{ daemon: TestDaemon; host: string; docker: Docker }> {
  const port = await freePort()
  const daemon = await startDaemon(['--registry', `${address}:${port}`, ...flags])
  const [client = ''] = dockerClients()
  const docker = dockerOf(daemon, client)
  await docker.must(
    'import',
    '--change',
    'CMD ["sh"]',
    '--change',
    'ENV PATH=/bin',
    await busyboxTar(daemon.directory),
    'busybox',
  )
  return { daemon, host: `${address === '127.0.0.1' ? 'localhost' : address}:${port}`, docker }
}

interface Manifest {
  readonly mediaType: string
  readonly layers: readonly { readonly digest: string; readonly mediaType: string; readonly size: number }[]
}

describe('a registry for this machine alone', () => {
  let daemon: TestDaemon
  let docker: Docker
  let host = ''
  before(async () => {
    ;({ daemon, host, docker } = await serving('127.0.0.1'))
    await docker.must('tag', 'busybox', `${host}/team/web:1`)
    await docker.must('push', `${host}/team/web:1`)
  })
  after(async () => await daemon.stop())

  const plain = (command: string) =>
    command === 'copy' ? ['--src-tls-verify=false', '--dest-tls-verify=false'] : ['--tls-verify=false']
  const skopeo = (command: string, ...args: readonly string[]) => peers.skopeo(command, ...plain(command), ...args)
  const manifestOf = async (name: string) => JSON.parse(await skopeo('inspect', '--raw', `docker://${host}/${name}`)) as Manifest

  test('a push of the daemon to itself shares its layers, and so does a pull', async () => {
    const { layers } = await manifestOf('team/web:1')
    assert.deepEqual(
      layers.map(({ mediaType }) => mediaType),
      ['application/vnd.docker.image.rootfs.diff.tar'],
    )
    const file = (store: string) => join(daemon.directory, 'root', store, 'blobs/sha256', layers[0]?.digest.slice(7) ?? '')
    const inode = () => [file('content'), file('registry/content')].map((path) => statSync(path).ino)
    assert.equal(new Set(inode()).size, 1)
    assert.deepEqual(readdirSync(join(daemon.directory, 'root/registry/uploads')), [])
    const { Id } = await docker.inspect(`${host}/team/web:1`)
    await docker.must('rmi', '--force', Id)
    assert.ok(!existsSync(file('content')))
    await docker.must('pull', `${host}/team/web:1`)
    assert.equal((await docker.inspect(`${host}/team/web:1`)).Id, Id)
    assert.equal(new Set(inode()).size, 1)
    assert.equal(await docker.must('run', '--rm', `${host}/team/web:1`, 'echo', 'it runs'), 'it runs')
    await docker.must('tag', `${host}/team/web:1`, 'busybox')
  })

  test('every docker client and our own push, and list what was pushed', async () => {
    for (const [index, path] of dockerClients().entries()) {
      const client = dockerOf(daemon, path)
      await client.must('tag', 'busybox', `${host}/clients/c${index}:1`)
      assert.match(await client.must('push', `${host}/clients/c${index}:1`), /1: digest: sha256:/)
    }
    await docker.must('tag', 'busybox', `${host}/clients/own:1`)
    assert.equal((await daemon.glovebox('push', `${host}/clients/own:1`)).code, 0)
    const listed = await daemon.glovebox('registry', 'ls')
    assert.match(listed.stdout, /^clients\/c0 .*\n(?:clients\/c1 .*\n)?clients\/own .*\nteam\/web /m)
  })

  test('dockerd pulls what was shared, pushes it back, and is told of mounts', async () => {
    const peer = await dockerPeer()
    try {
      const other = async (...args: readonly string[]) => {
        const { code, stdout, stderr } = await run('/usr/bin/docker', ['-H', `unix://${peer.socketPath}`, ...args], {
          timeoutMs: 60_000,
        })
        assert.equal(code, 0, `docker ${args.join(' ')}: ${stdout}${stderr}`)
        return stdout
      }
      await other('pull', `${host}/team/web:1`)
      const { Id } = await docker.inspect(`${host}/team/web:1`)
      assert.equal(JSON.parse(await other('inspect', `${host}/team/web:1`))[0].Id, Id)
      await other('tag', `${host}/team/web:1`, `${host}/team/mounted:1`)
      assert.match(await other('push', `${host}/team/mounted:1`), /Mounted from team\/web/)
      await other('import', join(daemon.directory, 'busybox.tar'), `${host}/dockerd/own:1`)
      assert.match(await other('push', `${host}/dockerd/own:1`), /1: digest: sha256:/)
    } finally {
      await peer.stop()
    }
    await docker.must('pull', `${host}/dockerd/own:1`)
  })

  const freshArchive = async (name: string) => {
    const place = join(peers.directory, `fresh-${name}`)
    mkdirSync(join(place, 'tree'), { recursive: true })
    writeFileSync(join(place, 'tree/file'), blob(4096))
    assert.equal((await run('tar', ['-C', join(place, 'tree'), '-cf', join(place, 'tree.tar'), '.'])).code, 0)
    await docker.must('import', join(place, 'tree.tar'), `fresh:${name}`)
    await docker.must('save', '--output', join(place, 'image.tar'), `fresh:${name}`)
    await docker.must('rmi', `fresh:${name}`)
    return join(place, 'image.tar')
  }

  test('skopeo copies, inspects, lists and deletes, with layers of gzip and zstd', async () => {
    for (const format of ['gzip', 'zstd']) {
      const name = `skopeo/${format}:1`
      // Bytes that skopeo has never seen: it remembers where it has put what, and has that mounted.
      const archive = await freshArchive(format)
      const compress = ['--dest-compress-format', format, '--format', 'oci']
      await skopeo('copy', ...compress, `docker-archive:${archive}`, `docker://${host}/${name}`)
      const { layers } = await manifestOf(name)
      assert.match(layers[0]?.mediaType ?? '', new RegExp(`\\+${format}$`))
      await docker.must('pull', `${host}/${name}`)
      const told = JSON.parse(await skopeo('inspect', `docker://${host}/${name}`))
      assert.deepEqual(told.RepoTags, ['1'])
    }
    await skopeo('copy', `docker://${host}/skopeo/gzip:1`, `docker://${host}/skopeo/gzip:2`)
    assert.deepEqual(JSON.parse(await skopeo('list-tags', `docker://${host}/skopeo/gzip`)).Tags, ['1', '2'])
    await skopeo('delete', `docker://${host}/skopeo/gzip:2`)
    await assert.rejects(skopeo('inspect', `docker://${host}/skopeo/gzip:1`), /manifest unknown|no manifest/)
  })

  test('buildah pulls, and pushes what it makes of it', async () => {
    await peers.buildah('pull', '--tls-verify=false', `${host}/team/web:1`)
    await peers.buildah('tag', `${host}/team/web:1`, `${host}/buildah/web:1`)
    await peers.buildah('push', '--tls-verify=false', `${host}/buildah/web:1`)
    await docker.must('pull', `${host}/buildah/web:1`)
  })

  test('an index of several platforms is copied whole, and each platform can be asked for', async () => {
    const exam = { base: `http://${host}`, name: 'multi/source', other: '' }
    const manifests = []
    for (const architecture of ['amd64', 'arm64']) {
      const layer = blob(2048)
      const config = Buffer.from(
        JSON.stringify({ architecture, os: 'linux', config: {}, rootfs: { type: 'layers', diff_ids: [digestOf(layer)] } }),
      )
      await pushBlob(exam, layer)
      await pushBlob(exam, config)
      const bytes = Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: TYPES.manifest,
          config: descriptor(TYPES.config, config),
          layers: [descriptor(TYPES.layer, layer)],
        }),
      )
      await put(`/v2/multi/source/manifests/${digestOf(bytes)}`, TYPES.manifest, bytes)
      manifests.push({ ...descriptor(TYPES.manifest, bytes), platform: { architecture, os: 'linux' } })
    }
    const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: TYPES.index, manifests }))
    await put('/v2/multi/source/manifests/all', TYPES.index, index)
    await skopeo('copy', '--all', '--preserve-digests', `docker://${host}/multi/source:all`, `docker://${host}/multi/copy:all`)
    assert.equal(await skopeo('inspect', '--raw', `docker://${host}/multi/copy:all`), index.toString())
    const arm = await peers.skopeo(
      '--override-arch',
      'arm64',
      'inspect',
      '--tls-verify=false',
      '--config',
      `docker://${host}/multi/copy:all`,
    )
    assert.equal(JSON.parse(arm).architecture, 'arm64')
    const gone = await fetch(`http://${host}/v2/multi/copy/manifests/${manifests[0]?.digest}`, { method: 'DELETE' })
    assert.equal(gone.status, 405)
  })

  const put = async (path: string, type: string, body: Buffer) =>
    await statusOf(
      await fetch(`http://${host}${path}`, { method: 'PUT', headers: { 'content-type': type }, body: new Uint8Array(body) }),
      201,
    )

  test('what refers to an image is found by its digest, and copied', async () => {
    const raw = Buffer.from(await skopeo('inspect', '--raw', `docker://${host}/team/web:1`))
    const exam = { base: `http://${host}`, name: 'team/web', other: '' }
    const [empty, payload] = [Buffer.from('{}'), Buffer.from('{"critical":{}}')]
    await pushBlob(exam, empty)
    await pushBlob(exam, payload)
    const signature = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: TYPES.manifest,
        artifactType: 'application/vnd.example.signature',
        config: descriptor(TYPES.empty, empty),
        layers: [descriptor('application/vnd.example.payload', payload)],
        subject: { mediaType: TYPES.dockerManifest, digest: digestOf(raw), size: raw.length },
        annotations: { 'org.example': 'signed' },
      }),
    )
    const answer = await put(`/v2/team/web/manifests/${digestOf(signature)}`, TYPES.manifest, signature)
    assert.equal(answer.headers.get('oci-subject'), digestOf(raw))
    const found = await fetch(
      `http://${host}/v2/team/web/referrers/${digestOf(raw)}?artifactType=application/vnd.example.signature`,
    )
    const { manifests } = (await found.json()) as { manifests: readonly object[] }
    assert.deepEqual(manifests, [
      {
        ...descriptor(TYPES.manifest, signature),
        artifactType: 'application/vnd.example.signature',
        annotations: { 'org.example': 'signed' },
      },
    ])
    await skopeo('copy', `docker://${host}/team/web@${digestOf(signature)}`, `dir:${join(peers.directory, 'signature')}`)
  })
})

describe('a registry with TLS and users', () => {
  let daemon: TestDaemon
  let docker: Docker
  let host = ''
  let cert = ''
  before(async () => {
    await run('ip', ['address', 'add', `${ADDRESS}/32`, 'dev', 'lo'])
    const files = await selfSigned(join(peers.directory, 'tls'), ADDRESS)
    ;({ daemon, host, docker } = await serving(ADDRESS, ['--registry-cert', files.cert, '--registry-key', files.key]))
    cert = files.cert
    const grant = async (name: string, password: string, ...rights: readonly string[]) => {
      const allowed = rights.flatMap((right) => ['--allow', right])
      const words = [
        '--root',
        join(daemon.directory, 'root'),
        '--run-dir',
        join(daemon.directory, 'run'),
        '--instance-name',
        daemon.name,
      ]
      const made = await run(
        join(import.meta.dirname, '../../glovebox'),
        [...words, 'registry', 'grant', name, ...allowed, '--password-stdin'],
        {
          input: password,
        },
      )
      assert.equal(made.code, 0, made.stderr)
    }
    await grant('ann', 'correct horse', 'team/**', 'secret/**')
    await grant('bob', 'battery staple', 'team/**:pull', 'bob/**')
    await docker.must('tag', 'busybox', `${host}/team/web:1`)
  })
  after(async () => {
    await daemon.stop()
    await run('ip', ['address', 'del', `${ADDRESS}/32`, 'dev', 'lo'])
  })

  const certificates = () => {
    const directory = join(peers.directory, 'certs')
    mkdirSync(directory, { recursive: true })
    cpSync(cert, join(directory, 'ca.crt'))
    return directory
  }

  test('docker signs in over TLS with a private authority, and pushes', async () => {
    const refused = await docker('login', '--username', 'ann', '--password', 'correct horse', host)
    assert.match(refused.stderr, /certificate/)
    const trusted = join(daemon.directory, 'root/certs.d', host)
    mkdirSync(trusted, { recursive: true })
    cpSync(cert, join(trusted, 'ca.crt'))
    assert.match((await docker('push', `${host}/team/web:1`)).stderr, /denied|unauthorized|sign-in/)
    assert.match((await docker('login', '--username', 'ann', '--password', 'wrong horse', host)).stderr, /unauthorized|wrong/)
    for (const path of dockerClients()) {
      const client = dockerOf(daemon, path)
      await client.must('login', '--username', 'ann', '--password', 'correct horse', host)
    }
    assert.match(await docker.must('push', `${host}/team/web:1`), /1: digest: sha256:/)
    const { Id } = await docker.inspect(`${host}/team/web:1`)
    await docker.must('rmi', '--force', Id)
    await docker.must('pull', `${host}/team/web:1`)
    await docker.must('tag', `${host}/team/web:1`, `${host}/other/web:1`)
    assert.match((await docker('push', `${host}/other/web:1`)).stderr, /denied|no right/)
    // Our own shares with itself only where the user may push.
    assert.ok(!(await daemon.glovebox('registry', 'ls')).stdout.includes('other/web'))
  })

  test('skopeo signs in, and may do what its user may and nothing else', async () => {
    const tls = ['--cert-dir', certificates()]
    const source = `docker://${host}/team/web:1`
    await assert.rejects(peers.skopeo('inspect', ...tls, source), /unauthorized|authentication|sign-in/)
    await peers.skopeo('login', ...tls, '--username', 'bob', '--password', 'battery staple', host)
    assert.equal(JSON.parse(await peers.skopeo('inspect', ...tls, source)).RepoTags[0], '1')
    const copy = (to: string) =>
      peers.skopeo('copy', '--src-cert-dir', certificates(), '--dest-cert-dir', certificates(), source, `docker://${host}/${to}`)
    await copy('bob/web:1')
    await assert.rejects(copy('team/web:2'), /denied|no right|unauthorized/)
    await assert.rejects(peers.skopeo('delete', ...tls, source), /denied|no right|unauthorized/)
    await assert.rejects(peers.skopeo('inspect', ...tls, `docker://${host}/secret/web:1`), /denied|no right|unauthorized/)
    await peers.skopeo('logout', host)
    await assert.rejects(
      peers.skopeo('login', ...tls, '--username', 'bob', '--password', 'wrong', host),
      /invalid username\/password|unauthorized/,
    )
  })
})
