import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { readCompose } from './read-compose.ts'

const read = async (text: string, environment: Readonly<Record<string, string>> = {}) =>
  await readCompose({
    path: 'compose.yaml',
    text,
    directory: '/srv/app',
    environment,
    dotEnv: null,
    stackName: 'app',
    profiles: null,
    readFile: () => null,
  })

describe('build: in Compose files', () => {
  it('is read whole, with paths made absolute and arguments taken from the environment', async () => {
    const { builds } = await read(
      `services:
  web:
    build:
      context: ./web
      dockerfile_inline: "FROM scratch"
      args: [A=1, B, C]
      labels: { tier: front }
      tags: ['web:extra']
      secrets: [token, { source: cert, target: ca }]
      ssh: [default, work=/run/agent]
      additional_contexts: { base: 'docker-image://debian', src: ../src }
      privileged: true
      platforms: [linux/amd64]
      cache_from: ['type=local,src=cache']
      shm_size: 64m
      extra_hosts: { one: 10.0.0.1 }
      no_cache: true
secrets:
  token: { environment: TOKEN }
  cert: { file: ./ca.pem }
`,
      { B: '2' },
    )
    const web = builds['web']
    assert.ok(web !== undefined)
    assert.equal(web.context, '/srv/app/web')
    assert.equal(web.dockerfileText, 'FROM scratch')
    assert.deepEqual(web.args, { A: '1', B: '2' })
    assert.deepEqual(web.secrets, [
      { id: 'token', file: null, variable: 'TOKEN' },
      { id: 'ca', file: '/srv/app/ca.pem', variable: null },
    ])
    assert.deepEqual(web.ssh, ['default', 'work=/run/agent'])
    assert.deepEqual(web.additionalContexts, { base: 'docker-image://debian', src: '/srv/src' })
    assert.deepEqual(
      [web.entitlements, web.shmBytes, web.extraHosts],
      [['security.insecure'], 64 * 1024 * 1024, ['one:10.0.0.1']],
    )
    assert.deepEqual([web.isCacheOff, web.pulls, web.tags], [true, false, ['web:extra']])
  })

  it('refuses what contradicts itself or is nowhere', async () => {
    const text = `services:
  web:
    build: { context: ., dockerfile: A, dockerfile_inline: B, isolation: hyperv, secrets: [gone] }
`
    await assert.rejects(read(text), /exclude each other[^]*"isolation" must be one of default[^]*"gone" is not declared/)
  })

  it('keeps a secret from a variable for builds', async () => {
    const text = 'services: { web: { image: x, secrets: [token] } }\nsecrets: { token: { environment: TOKEN } }\n'
    await assert.rejects(read(text), /the variable TOKEN, which is the secret "token", is not set/)
  })
})

describe('develop: in Compose files', () => {
  it('is read as rules', async () => {
    const { watches } = await read(`services:
  web:
    image: x
    develop:
      watch:
        - { path: ./src, action: sync, target: /app, ignore: tmp/, initial_sync: true }
        - { path: ./conf, action: sync+exec, target: /conf, exec: { command: kill -HUP 1, user: root } }
        - { path: ./package.json, action: rebuild, target: /ignored }
`)
    assert.deepEqual(
      watches['web']?.map(({ path, action, target, ignore, exec }) => [path, action, target, ignore, exec?.command ?? null]),
      [
        ['/srv/app/src', 'sync', '/app', ['tmp/'], null],
        ['/srv/app/conf', 'sync+exec', '/conf', [], ['kill', '-HUP', '1']],
        ['/srv/app/package.json', 'rebuild', null, [], null],
      ],
    )
  })

  it('refuses a rule that cannot be carried out', async () => {
    const text = `services:
  web:
    image: x
    develop: { watch: [{ path: a, action: sync }, { path: b, action: sync+exec, target: /b }] }
`
    await assert.rejects(read(text), /"sync" needs a "target"[^]*"sync\+exec" needs an "exec"/)
  })
})
