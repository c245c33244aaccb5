import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { run } from '../support/processes.ts'
import { cliBench } from './cli-bench.ts'
import { repository, webServer, type WebServer } from './git-server.ts'

describe('what builds are made from', () => {
  const bench = cliBench()
  let web: WebServer
  let archive: Buffer
  const project = (name: string, files: Readonly<Record<string, string>>): string => {
    const directory = join(bench().daemon.directory, name)
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(directory, path, '..'), { recursive: true })
      writeFileSync(join(directory, path), text)
    }
    return directory
  }
  const show = async (image: string, ...words: readonly string[]) =>
    await bench().cli.must('run', '--rm', '--network', 'none', image, ...words)

  before(async () => {
    const { directory } = bench().daemon
    const shop = join(directory, 'git/shop.git')
    repository(shop, {
      Dockerfile: 'FROM busybox\nCOPY . /s\n',
      'part/Dockerfile': 'FROM busybox\nCOPY . /p\n',
      'part/a': 'of the part',
      'part/hidden': 'x',
      'part/.dockerignore': 'hidden\n',
    })
    const packed = project('packed', {
      Dockerfile: 'FROM busybox\nCOPY word /w\n',
      Other: 'FROM busybox\nCOPY word /o\n',
      word: 'packed',
    })
    archive =
      (await run('tar', ['-cJf', `${packed}.txz`, '-C', packed, '.'])).code === 0
        ? readFileSync(`${packed}.txz`)
        : Buffer.alloc(0)
    web = await webServer(join(directory, 'git'), (asked, response) => {
      if (asked.url === '/c.tar.xz') response.writeHead(200).end(archive)
      else if (asked.url === '/Dockerfile')
        response.writeHead(200, { 'content-type': 'text/plain' }).end('FROM busybox\nRUN echo text > /t\n')
      else if (asked.url === '/limits') response.writeHead(200).end('FROM busybox\nRUN (ulimit -n; ulimit -Hn) > /seen\n')
      else response.writeHead(404).end()
    })
  })
  after(async () => await web[Symbol.asyncDispose]())

  test('POST /build?remote= takes repositories, archives and Dockerfiles', async () => {
    const build = async (remote: string, more: Readonly<Record<string, string>> = {}) =>
      await post(bench().daemon.socketPath, { remote, t: 'remote:1', networkmode: 'host', ...more })
    assert.match(await build(`${web.origin}/git/shop.git/.git#main:part`), /Successfully tagged remote:1/)
    assert.equal(await show('remote:1', 'ls', '/p'), 'Dockerfile\na')
    assert.match(await build(`${web.origin}/c.tar.xz`, { dockerfile: 'Other' }), /Successfully tagged/)
    assert.equal(await show('remote:1', 'cat', '/o'), 'packed')
    assert.match(await build(`${web.origin}/Dockerfile`), /Successfully tagged/)
    assert.equal(await show('remote:1', 'cat', '/t'), 'text')
    assert.match(await build(`${web.origin}/none`), /status 404/)
    assert.match(await build(`${web.origin}/Dockerfile`, { networkmode: 'default' }), /which builds may not ask/)
    assert.match(await build('git://host/x.git'), /proves neither who answers/)
    assert.match(await build('somewhere'), /this is no address/)
  })

  test('glovebox build takes an address, a Dockerfile in it and one from here', async () => {
    const { cli } = bench()
    const address = `${web.origin}/git/shop.git/.git`
    await cli.must('build', '--network', 'host', '-t', 'at:1', `${address}#main:part`)
    assert.equal(await show('at:1', 'cat', '/p/a'), 'of the part')
    await cli.must('build', '--network', 'host', '-t', 'at:1', '-f', 'part/Dockerfile', address)
    assert.equal(await show('at:1', 'ls', '/p/part'), 'Dockerfile\na\nhidden')
    const given = await cli.with(
      { input: 'FROM busybox\nCOPY part/a /x\n' },
      ...['build', '--network', 'host', '-t', 'at:1', '-f', '-', address],
    )
    assert.equal(given.code, 0, given.stderr)
    assert.equal(await show('at:1', 'cat', '/x'), 'of the part')
    assert.match((await cli('build', address)).stderr, /which builds may not ask/)
    const broken = await cli('build', '--network', 'host', `${web.origin}/none`)
    assert.deepEqual([broken.code, /status 404/.test(broken.stderr)], [1, true])
  })

  test('a Compose service is built from an address', async () => {
    const { cli } = bench()
    const directory = project('composed', {
      'compose.yaml': `services:\n  web:\n    image: composed:1\n    build: { context: "${web.origin}/git/shop.git/.git#main:part", network: host }\n`,
    })
    const built = await run('sh', ['-c', 'cd "$0" && exec "$1" build', directory, cli.launcher], { env: cli.env })
    assert.equal(built.code, 0, built.stderr)
    assert.equal(await show('composed:1', 'cat', '/p/a'), 'of the part')
  })

  test('a directory under a name is sent as far as it changed', async () => {
    const { cli } = bench()
    const shared = project('shared', { 'lib/a': 'one', hidden: 'x', '.dockerignore': 'hidden\n' })
    const app = project('uses-shared', { Dockerfile: 'FROM busybox\nCOPY --from=shared . /s\n', own: '' })
    const build = async () => await cli.must('build', '-q', '-t', 'shared:1', '--build-context', `shared=${shared}`, app)
    const first = await build()
    assert.equal(await show('shared:1', 'find', '/s', '-type', 'f'), '/s/.dockerignore\n/s/lib/a')
    assert.equal(await build(), first)
    writeFileSync(join(shared, 'lib/a'), 'changed')
    assert.notEqual(await build(), first)
    assert.equal(await show('shared:1', 'cat', '/s/lib/a'), 'changed')
    const none = await cli('build', '--build-context', 'shared=/nowhere', app)
    assert.match(none.stderr, /look at the build context \/nowhere: ENOENT/)
  })

  test('an OCI layout under a name is an image', async () => {
    const { cli, daemon } = bench()
    const out = join(daemon.directory, 'layout')
    const made = project('makes-layout', { Dockerfile: 'FROM busybox\nRUN echo inside > /made\n' })
    await cli.must('build', '-q', '-o', `type=oci,dest=${out}.tar`, made)
    mkdirSync(out)
    assert.equal((await run('tar', ['-xf', `${out}.tar`, '-C', out])).code, 0)
    const app = project('uses-layout', { Dockerfile: 'FROM base\nCOPY --from=base /made /copy\n' })
    await cli.must('build', '-q', '-t', 'laid:1', '--build-context', `base=oci-layout://${out}`, app)
    assert.equal(await show('laid:1', 'cat', '/made', '/copy'), 'inside\ninside')
    const wrong = await cli('build', '--build-context', `base=oci-layout://${out}:none`, app)
    assert.match(wrong.stderr, /the build context base: the layout has no tag "none"/)
  })

  test('a Compose service takes a directory beside its context', async () => {
    const { cli } = bench()
    const directory = project('composed-beside', {
      'compose.yaml':
        'services:\n  web:\n    image: beside:1\n    build: { context: app, additional_contexts: { lib: ./lib } }\n  api:\n    image: beside:2\n    build: { context: app, additional_contexts: { lib: ./lib }, labels: { a: b } }\n',
      'app/Dockerfile': 'FROM busybox\nCOPY --from=lib a /a\n',
      'lib/a': 'beside',
    })
    const built = await run('sh', ['-c', 'cd "$0" && exec "$1" build', directory, cli.launcher], { env: cli.env })
    assert.equal(built.code, 0, built.stderr)
    assert.equal(await show('beside:2', 'cat', '/a'), 'beside')
  })

  test('a Compose service builds on the image of another', async () => {
    const { cli } = bench()
    const directory = project('composed-on', {
      'compose.yaml':
        'name: on\nservices:\n  web:\n    build: { context: ., dockerfile_inline: "FROM base\\nRUN cat /b > /w\\n", additional_contexts: { base: "service:base" } }\n  base:\n    build: { context: ., dockerfile_inline: "FROM busybox\\nRUN echo below > /b\\n" }\n',
    })
    const inside = ['-c', 'cd "$0" && exec "$@"', directory, cli.launcher, 'build']
    const built = await run('sh', inside, { env: cli.env })
    assert.equal(built.code, 0, built.stderr)
    assert.equal(await show('on-web', 'cat', '/w'), 'below')
    assert.match(
      (await run('sh', [...inside, '--service', 'web'], { env: cli.env })).stderr,
      /names the service base, which is not here/,
    )
  })

  test('steps run under the limits and with the hosts that were asked for', async () => {
    const { cli, daemon } = bench()
    const app = project('limited', {
      Dockerfile: 'FROM busybox\nRUN (ulimit -n; ulimit -Hn; grep other /etc/hosts) > /seen\n',
      'compose.yaml':
        'services:\n  web:\n    image: limited:2\n    build: { context: ., extra_hosts: ["other=10.1.2.4"], ulimits: { nofile: 34 }, shm_size: 1m }\n',
    })
    await cli.must(
      'build',
      '-q',
      '-t',
      'limited:1',
      '--ulimit',
      'nofile=32:33',
      '--add-host',
      'other:10.1.2.3',
      '--memory-swap',
      '-1',
      app,
    )
    assert.match(await show('limited:1', 'cat', '/seen'), /^32\n33\n10\.1\.2\.3\s+other$/)
    const built = await run('sh', ['-c', 'cd "$0" && exec "$1" build', app, cli.launcher], { env: cli.env })
    assert.equal(built.code, 0, built.stderr)
    assert.match(await show('limited:2', 'cat', '/seen'), /^34\n34\n10\.1\.2\.4\s+other$/)
    const wrong = await cli('build', '--ulimit', 'evil=1', app)
    assert.match(wrong.stderr, /there is no limit "evil"/)
    const ulimits = JSON.stringify([{ Name: 'nofile', Soft: 35, Hard: 36 }])
    const remote = `${web.origin}/limits`
    const classic = { remote, t: 'limited:3', networkmode: 'host', ulimits, cachefrom: '["127.0.0.1:1/none","busybox"]' }
    const said = await post(daemon.socketPath, classic)
    assert.match(said, /Successfully tagged/)
    assert.doesNotMatch(said, /cache/)
    assert.equal(await show('limited:3', 'cat', '/seen'), '35\n36')
  })

  test('annotations stand on manifest, index and their lines', async () => {
    const { cli, daemon } = bench()
    const out = join(daemon.directory, 'annotated')
    const app = project('annotated-context', { Dockerfile: 'FROM busybox\n' })
    const flags = [
      '--annotation',
      'org.example.a=x',
      '--annotation',
      'index,manifest-descriptor:org.example.b=y',
      '--provenance=mode=min',
    ]
    await cli.must('build', '-q', ...flags, '-o', `type=oci,dest=${out}.tar`, app)
    mkdirSync(out)
    assert.equal((await run('tar', ['-xf', `${out}.tar`, '-C', out])).code, 0)
    const document = (name: string) => JSON.parse(readFileSync(join(out, name), 'utf8')) as Annotated
    const top = document(blobOf(document('index.json').manifests?.[0]?.digest))
    const [line] = top.manifests ?? []
    assert.deepEqual([top.annotations, line?.annotations], [{ 'org.example.b': 'y' }, { 'org.example.b': 'y' }])
    assert.deepEqual(document(blobOf(line?.digest)).annotations, { 'org.example.a': 'x' })
    assert.match((await cli('build', '--annotation', 'a=b', app)).stderr, /annotations need an image that is pushed/)
  })

  test('an archive on the standard input may be compressed with xz', async () => {
    const { cli } = bench()
    const ended = await cli.with({ input: archive }, 'build', '-q', '-t', 'piped:1', '-')
    assert.equal(ended.code, 0, ended.stderr)
    assert.equal(await show('piped:1', 'cat', '/w'), 'packed')
  })
})

interface Annotated {
  readonly digest?: string
  readonly annotations?: Readonly<Record<string, string>>
  readonly manifests?: readonly Annotated[]
}

function blobOf(digest = ''): string {
  return `blobs/${digest.replace(':', '/')}`
}

/** The whole answer, whatever its status. */
async function post(socketPath: string, query: Readonly<Record<string, string>>): Promise<string> {
  const path = `/v1.41/build?${new URLSearchParams(query).toString()}`
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const asked = request({ socketPath, path, method: 'POST' }, (answer) => {
    const chunks: Buffer[] = []
    answer.on('data', (chunk: Buffer) => chunks.push(chunk))
    answer.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
  })
  asked.on('error', reject)
  asked.end()
  return await promise
}
