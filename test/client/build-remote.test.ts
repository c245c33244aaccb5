import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { startDaemon, type TestDaemon } from '../support/daemon.ts'
import { dockerClients, dockerOf, type Docker } from '../support/docker.ts'
import { busyboxTar } from '../support/image.ts'
import { git, repository, webServer, type WebServer } from './git-server.ts'

let daemon: TestDaemon
let docker: Docker
let web: WebServer
let contexts = 0

before(async () => {
  daemon = await startDaemon()
  docker = dockerOf(daemon, dockerClients()[0] ?? 'docker')
  await docker.must('import', await busyboxTar(daemon.directory), 'busybox:test')
  web = await webServer(join(daemon.directory, 'git'), (request, response) => {
    if (request.url === '/tool.txt') response.writeHead(200, { etag: '"1"' }).end('tool')
    else if (request.url === '/moved') response.writeHead(302, { location: '/tool.txt' }).end()
    else if (request.url === '/round') response.writeHead(302, { location: '/round' }).end()
    else if (request.url === '/file') response.writeHead(302, { location: 'file:///etc/passwd' }).end()
    else if (request.url === '/short') response.writeHead(200, { 'content-length': '100' }).end('short', () => response.destroy())
    else response.writeHead(404).end()
  })
})
after(async () => {
  await web[Symbol.asyncDispose]()
  await daemon.stop()
})

function context(dockerfile: string): string {
  contexts += 1
  const directory = join(daemon.directory, `context-${contexts}`)
  mkdirSync(directory)
  writeFileSync(join(directory, 'Dockerfile'), dockerfile)
  return directory
}

const build = async (text: string, ...flags: readonly string[]) => await docker('build', ...flags, context(text))
const built = async (text: string, ...show: readonly string[]) => {
  await docker.must('build', '--network', 'host', '-t', 'made:1', context(text))
  return await docker.must('run', '--rm', '--network', 'none', 'made:1', ...show)
}

describe('ADD of addresses', () => {
  test('a file comes over redirects, once, with its checksum', async () => {
    const sum = hash('sha256', 'tool')
    const text = `FROM busybox:test\nADD --checksum=sha256:${sum} ${web.origin}/moved /tool\n`
    assert.equal(await built(text, 'stat', '-c', '%a %s', '/tool'), '600 4')
    const count = web.asked.length
    await built(text, 'true')
    assert.equal(web.asked.length, count)
    const wrong = await build(text.replace(sum, '0'.repeat(64)), '--network', 'host')
    assert.match(wrong.stderr, /Dockerfile:2: .* is sha256:/)
  })

  test('an address of this machine is refused, however it is written, and nothing is asked', async () => {
    const { port } = new URL(web.origin)
    const count = web.asked.length
    for (const host of ['127.0.0.1', 'localhost', '0x7f.1', '[::1]', '[::ffff:127.0.0.1]', '0', '169.254.169.254'])
      assert.match(
        (await build(`FROM busybox:test\nADD http://${host}:${port}/tool.txt /x\n`)).stderr,
        /which builds may not ask/,
        host,
      )
    assert.match((await build(`FROM busybox:test\nADD ${web.origin}/git/shop.git /x\n`)).stderr, /which builds may not ask/)
    assert.equal(web.asked.length, count)
  })

  test('redirects to files and in circles, and what ends early, end the build', async () => {
    for (const [path, why] of [
      ['/file', /only http and https/],
      ['/round', /more than 10 times/],
      ['/none', /status 404/],
      ['/short', /cannot be fetched|ends after/],
    ] as const)
      assert.match((await build(`FROM busybox:test\nADD ${web.origin}${path} /x\n`, '--network', 'host')).stderr, why, path)
  })
})

describe('ADD of repositories', () => {
  before(() => {
    const shop = join(daemon.directory, 'git/shop.git')
    repository(shop, {
      'README.md': 'read me',
      'src/main.sh': 'echo main',
      '.gitattributes': '* filter=evil\nREADME.md export-ignore\n',
    })
    git(shop, 'config', 'filter.evil.smudge', `touch ${join(daemon.directory, 'canary')}`)
    git(shop, 'tag', '--annotate', '--message', 'v', 'v1')
    chmodSync(join(shop, 'src/main.sh'), 0o755)
    symlinkSync('/etc/passwd', join(shop, 'src/link'))
    git(shop, 'add', '--all')
    git(shop, 'commit', '--quiet', '--message', 'second')
    repository(join(daemon.directory, 'git/sub.git'), { a: '' })
    git(
      join(daemon.directory, 'git/sub.git'),
      'update-index',
      '--add',
      '--cacheinfo',
      `160000,${git(shop, 'rev-parse', 'HEAD')},module`,
    )
    git(join(daemon.directory, 'git/sub.git'), 'commit', '--quiet', '--message', 'module')
  })

  test('a branch, a tag, a commit and a part of a tree are taken, links as links', async () => {
    const shop = join(daemon.directory, 'git/shop.git')
    const repositoryUrl = `${web.origin}/git/shop.git/.git`
    const show = async (fragment: string, flags: string, ...words: readonly string[]) =>
      await built(`FROM busybox:test\nADD ${flags} ${repositoryUrl}${fragment} /s/\n`, ...words)
    assert.equal(await show('', '', 'cat', '/s/README.md'), 'read me')
    assert.equal(await show('#main:src', '', 'stat', '-c', '%a', '/s/main.sh'), '755')
    assert.equal(await show('#main:src', '', 'readlink', '/s/link'), '/etc/passwd')
    assert.equal(await show('?tag=v1', '', 'ls', '/s/src'), 'main.sh')
    const commit = git(shop, 'rev-parse', 'v1^{commit}')
    assert.equal(await show(`#${commit}`, `--checksum=${commit.slice(0, 12)}`, 'ls', '/s/src'), 'main.sh')
    assert.equal(await show('', '--keep-git-dir', 'cat', '/s/.git/HEAD'), git(shop, 'rev-parse', 'HEAD'))
    assert.ok(!existsSync(join(daemon.directory, 'canary')))
  })

  test('submodules come with their own, from where .gitmodules says, as ADD and as a context', async () => {
    const at = (name: string) => join(daemon.directory, 'git', name)
    const link = (name: string, path: string, to: string, url: string) => {
      writeFileSync(join(at(name), '.gitmodules'), `[submodule "${path}"]\n\tpath = ${path}\n\turl = ${url}\n`)
      git(at(name), 'add', '.gitmodules')
      git(at(name), 'update-index', '--add', '--cacheinfo', `160000,${git(at(to), 'rev-parse', 'HEAD')},${path}`)
      git(at(name), 'commit', '--quiet', '--message', 'link')
    }
    repository(at('deep.git'), { 'd/file': 'deep' })
    repository(at('lib.git'), { lib: 'of the library' })
    repository(at('top.git'), { Dockerfile: 'FROM busybox:test\nCOPY . /c/\n', own: 'own' })
    link('lib.git', 'inner', 'deep.git', '../../deep.git/.git')
    link('top.git', 'vendor/lib', 'lib.git', '../../lib.git/.git')
    const url = `${web.origin}/git/top.git/.git`
    const show = ['cat', '/s/own', '/s/vendor/lib/lib', '/s/vendor/lib/inner/d/file']
    assert.equal(await built(`FROM busybox:test\nADD ${url} /s/\n`, ...show), 'ownof the librarydeep')
    assert.equal(await built(`FROM busybox:test\nADD ${url}#main:vendor /s/\n`, 'cat', '/s/lib/inner/d/file'), 'deep')
    assert.equal(await built(`FROM busybox:test\nADD ${url}?submodules=false /s/\n`, 'find', '/s/vendor'), '/s/vendor')
    link('top.git', 'vendor/lib', 'lib.git', 'http://127.0.0.1:1/x')
    assert.match((await build(`FROM busybox:test\nADD ${url} /s/\n`, '--network', 'host')).stderr, /127\.0\.0\.1:1/)
    link('top.git', 'vendor/lib', 'lib.git', '/etc')
    assert.match(
      (await build(`FROM busybox:test\nADD ${url} /s/\n`, '--network', 'host')).stderr,
      /submodule "vendor\/lib".*"\/etc"/,
    )
  })

  test('what harms or is missing is refused by name', async () => {
    const of = async (name: string, fragment = '', flags = '') =>
      (await build(`FROM busybox:test\nADD ${flags} ${web.origin}/git/${name}/.git${fragment} /s/\n`, '--network', 'host')).stderr
    assert.match(await of('sub.git'), /Dockerfile:2: .*submodule "module"/)
    assert.match(await of('shop.git', '#nowhere'), /no branch or tag "nowhere"/)
    assert.match(await of('shop.git', '', '--checksum=0000000'), /not at 0000000/)
    assert.match(await of('shop.git', '#main:../../etc'), /leads out of the tree/)
    assert.match(await of('shop.git', '#--upload-pack=touch'), /no branch, tag or commit/)
    assert.match(await of('shop.git', '#main:none'), /git .* fails|not there/)
  })

  test('nothing of a fetch stays behind', () => {
    const left = readdirSync(join(daemon.directory, 'root'), { recursive: true }).filter((path) =>
      /(?:^|\/)git-[^/]*$/.test(String(path)),
    )
    assert.deepEqual(left, [])
  })
})
