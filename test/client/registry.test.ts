import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { run } from '../support/processes.ts'
import { startRegistry, type RegistryProcess } from '../kernel/registry-process.ts'
import { eachClient } from './each-client.ts'

let registry: RegistryProcess
let guarded: RegistryProcess
before(async () => {
  registry = await startRegistry()
  guarded = await startRegistry({ hasPassword: true })
})
after(async () => {
  await registry.stop()
  await guarded.stop()
})

eachClient('registries', (bench) => {
  test('an image that was pushed and removed comes back as the same image, and runs', async () => {
    const { docker } = bench()
    const name = `${registry.host}/team/web:1`
    await docker.must('tag', 'busybox', name)
    const { Id } = await docker.inspect(name)
    const pushed = await docker.must('push', name)
    const digest = /1: digest: (sha256:[0-9a-f]{64}) size: \d+/.exec(pushed)?.[1]
    assert.ok(digest !== undefined, pushed)
    assert.deepEqual((await docker.inspect(name)).RepoDigests, [`${registry.host}/team/web@${digest}`])
    assert.match(await docker.must('push', name), /Layer already exists/)
    await docker.must('rmi', name)
    const pulled = await docker.must('pull', name)
    assert.match(pulled, new RegExp(`Digest: ${digest}\nStatus: Downloaded newer image for ${name}`))
    assert.equal((await docker.inspect(name)).Id, Id)
    assert.match(await docker.must('pull', name), /Status: Image is up to date/)
    assert.match(await docker.must('pull', `${registry.host}/team/web@${digest}`), new RegExp(`Digest: ${digest}`))
    assert.equal(await docker.must('run', '--rm', name, 'echo', 'it runs'), 'it runs')
  })

  test('another repository of the registry takes the layers over, and every tag goes with one push', async () => {
    const { docker } = bench()
    await docker.must('tag', 'busybox', `${registry.host}/team/first:1`)
    await docker.must('push', `${registry.host}/team/first:1`)
    for (const tag of ['1', '2']) await docker.must('tag', 'busybox', `${registry.host}/other/${bench().daemon.name}:${tag}`)
    const pushed = await docker.must('push', '--all-tags', `${registry.host}/other/${bench().daemon.name}`)
    assert.match(pushed, /Mounted from team\/(first|web)/)
    assert.match(pushed, /1: digest: [^]*2: digest: /)
    for (const tag of ['1', '2']) await docker.must('rmi', `${registry.host}/other/${bench().daemon.name}:${tag}`)
    await docker.must('pull', '--all-tags', `${registry.host}/other/${bench().daemon.name}`)
    for (const tag of ['1', '2']) await docker.must('inspect', `${registry.host}/other/${bench().daemon.name}:${tag}`)
  })

  test('what is missing is told in the words that clients know', async () => {
    const { docker } = bench()
    const missing = await docker('pull', `${registry.host}/team/web:nope`)
    assert.equal(missing.code, 1)
    assert.match(missing.stderr, /manifest for localhost:\d+\/team\/web:nope not found: manifest unknown: manifest unknown/)
    assert.match(
      (await docker('push', `${registry.host}/not/here:1`)).stderr,
      /An image does not exist locally with the tag: localhost:\d+\/not\/here/,
    )
  })

  test('a registry with passwords lets in who signed in, and nobody else', async () => {
    const { docker, daemon } = bench()
    const name = `${guarded.host}/team/web:1`
    await docker.must('tag', 'busybox', name)
    assert.match((await docker('push', name)).stderr, /no basic auth credentials/)
    const config = join(daemon.directory, 'config.json')
    mkdirSync(daemon.directory, { recursive: true })
    const keep = (password: string) =>
      writeFileSync(
        config,
        JSON.stringify({ auths: { [guarded.host]: { auth: Buffer.from(`anna:${password}`).toString('base64') } } }),
      )
    keep('wrong')
    const wrong = await docker('push', name)
    assert.equal(wrong.code, 1)
    assert.match(wrong.stderr, /unauthorized: authentication required/)
    const login = await docker('login', '--username', 'anna', '--password', 'wrong', guarded.host)
    assert.match(login.stderr, /unauthorized/)
    await docker.must('login', '--username', 'anna', '--password', 'right', guarded.host)
    assert.match(await docker.must('push', name), /1: digest: /)
    await docker.must('rmi', name)
    await docker.must('pull', name)
    await docker.must('logout', guarded.host)
    assert.equal((await docker('pull', name)).code, 1)
  })

  test('a build fetches the base image that is not here', async () => {
    const { docker, daemon } = bench()
    const base = `${registry.host}/team/base:${daemon.name}`
    await docker.must('tag', 'busybox', base)
    await docker.must('push', base)
    await docker.must('rmi', base)
    const directory = join(daemon.directory, 'from-registry')
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, 'Dockerfile'), `FROM ${base}\nRUN echo built > /made\n`)
    await docker.must('build', '--tag', 'from-registry', directory)
    assert.equal(await docker.must('run', '--rm', 'from-registry', 'cat', '/made'), 'built')
    writeFileSync(join(directory, 'Dockerfile'), 'FROM nowhere-to-be-found:1\n')
    assert.match((await docker('build', directory)).stderr, /no such image: nowhere-to-be-found:1/)
  })

  test('a registry is asked about an image without fetching it, and our own commands pull and push', async () => {
    const { docker, daemon } = bench()
    const name = `${registry.host}/team/ours:1`
    await docker.must('tag', 'busybox', name)
    const pushed = await daemon.glovebox('push', name)
    assert.equal(pushed.code, 0, pushed.stderr)
    await docker.must('rmi', name)
    const asked = await run('curl', ['-s', '--unix-socket', daemon.socketPath, `http://daemon/v1.41/distribution/${name}/json`])
    const { Descriptor, Platforms } = JSON.parse(asked.stdout)
    assert.match(Descriptor.digest, /^sha256:[0-9a-f]{64}$/)
    assert.equal(Platforms[0].os, 'linux')
    assert.notEqual((await docker('inspect', name)).code, 0)
    const pulled = await daemon.glovebox('image', 'pull', name)
    assert.equal(pulled.code, 0, pulled.stderr)
    assert.equal(pulled.stdout.trim(), name)
  })
})
