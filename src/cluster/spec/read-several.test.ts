import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { GloveboxError } from '#base'

import { readCompose, type ComposeInput, type ComposeReading } from './read-compose.ts'

type Files = Readonly<Record<string, string>>

/** The first file is the application's; the others are there to be named. Those called `over…` go on top. */
async function read(files: Files, more: Partial<ComposeInput> = {}): Promise<ComposeReading> {
  const at = (name: string) => `/app/${name}`
  const [first = ''] = Object.keys(files)
  const overrides = Object.keys(files).filter((name) => name.startsWith('over'))
  return await readCompose({
    path: at(first),
    text: files[first] ?? '',
    overrides: overrides.map((name) => ({ path: at(name), text: files[name] ?? '' })),
    directory: '/app',
    environment: {},
    dotEnv: null,
    stackName: null,
    profiles: null,
    readFile: (path) => files[path.slice('/app/'.length)] ?? null,
    ...more,
  })
}

async function problems(files: Files, more: Partial<ComposeInput> = {}): Promise<readonly string[]> {
  const error = await read(files, more).then(
    () => null,
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof GloveboxError && error.code === 'compose.invalid', `accepted, or ${String(error)}`)
  return error.message.split('\n')
}

describe('extends', () => {
  it('takes services of this file and of others, through chains, with paths of the file that says them', async () => {
    const { spec, builds, furtherFiles } = await read({
      'compose.yaml': `services:
  web:
    extends: { file: lib/base.yaml, service: app }
    environment: { B: web }
  worker:
    extends: web
    command: [work]
    ports: !reset []
`,
      'lib/base.yaml': `services:
  app:
    extends: root
    build: ./src
    volumes: ["./data:/data"]
    environment: [A=app, B=app]
  root:
    restart: "no"
    env_file: root.env
    ports: ["80:80"]
`,
      'lib/root.env': 'C=root\n',
    })
    const [web, worker] = spec.services
    assert.deepEqual(web?.task.environment, { C: 'root', A: 'app', B: 'web' })
    assert.equal(builds['web']?.context, '/app/lib/src')
    assert.deepEqual(
      web.task.mounts.map((mount) => (mount.type === 'bind' ? mount.source : '')),
      ['/app/lib/data'],
    )
    assert.equal(web.restart.condition, 'never')
    assert.deepEqual(worker?.task.command, ['work'])
    assert.deepEqual([web.ports.length, worker.ports.length], [1, 0])
    assert.deepEqual(furtherFiles, ['/app/lib/base.yaml'])
  })

  it('refuses circles, and what is not there', async () => {
    assert.deepEqual(
      await problems({ 'compose.yaml': 'services:\n  a: { extends: b, image: x }\n  b: { extends: a }\n' }),
      [
        '/app/compose.yaml:2:8 service a: extends itself: b (/app/compose.yaml) → a (/app/compose.yaml) → b (/app/compose.yaml)',
        '/app/compose.yaml:3:8 service b: extends itself: a (/app/compose.yaml) → b (/app/compose.yaml) → a (/app/compose.yaml)',
      ]
        .toSorted((one, two) => one.localeCompare(two))
        .map((line) => line),
    )
    const lines = await problems({
      'compose.yaml':
        'services:\n  a: { image: x, extends: { file: gone.yaml, service: b } }\n  c: { image: x, extends: d }\n  e: { image: x, extends: { file: "https://x/y", service: b } }\n',
    })
    assert.deepEqual(lines, [
      '/app/compose.yaml:2:18 service a: extends a service of gone.yaml, which does not exist',
      '/app/compose.yaml:3:18 service c: extends "d", which /app/compose.yaml does not have',
      '/app/compose.yaml:4:18 service e: extends https://x/y, and files that are elsewhere are not fetched',
    ])
  })

  it('places a problem in the file that it is in', async () => {
    assert.deepEqual(
      await problems({
        'compose.yaml': 'services:\n  web:\n    extends: { file: base.yaml, service: app }\n    volumes: [gone:/x]\n',
        'base.yaml': 'services:\n  app:\n    image: x\n    mem_limit: lots\n',
      }),
      [
        '/app/compose.yaml:4:15 service web: volume "gone" is not declared under the top-level "volumes"',
        '/app/base.yaml:4:5 service web: "mem_limit": "lots" is not a size',
      ],
    )
  })
})

describe('include', () => {
  it('takes in applications with their own directory and variables', async () => {
    const { spec } = await read(
      {
        'compose.yaml': `include:
  - db/compose.yaml
  - path: [cache/a.yaml, cache/b.yaml]
    project_directory: .
    env_file: cache/own.env
services:
  web: { image: web, depends_on: [db, cache], volumes: ["data:/d"] }
`,
        'db/compose.yaml': `services:
  db: { image: "db:\${TAG}", volumes: ["./init:/init", "data:/data"] }
volumes: { data: }
`,
        'db/.env': 'TAG=from-db\n',
        'cache/a.yaml': 'services: { cache: { image: "c:${TAG}-${SIZE}", volumes: ["./c:/c"] } }\n',
        'cache/b.yaml': 'services: { cache: { command: [run] } }\n',
        'cache/own.env': 'TAG=own\nSIZE=2\n',
      },
      { environment: { SIZE: '9' } },
    )
    const [web, db, cache] = spec.services
    assert.equal(web?.name, 'web')
    assert.equal(db?.task.image, 'db:from-db')
    assert.deepEqual(
      db.task.mounts.map((mount) => (mount.type === 'bind' ? mount.source : '')),
      ['/app/db/init', ''],
    )
    assert.deepEqual([cache?.task.image, cache?.task.command], ['c:own-9', ['run']])
    assert.deepEqual(
      cache?.task.mounts.map((mount) => (mount.type === 'bind' ? mount.source : '')),
      ['/app/c'],
    )
  })

  it('refuses two meanings of one name, circles, and what is not there; the same twice is fine', async () => {
    const lines = await problems({
      'compose.yaml': 'include: [a.yaml, gone.yaml, "oci://x/y"]\nservices:\n  web: { image: x }\n  ok: { image: same }\n',
      'a.yaml': 'include: [compose.yaml]\nservices:\n  web: { image: y }\n  ok: { image: same }\n',
    })
    assert.deepEqual(lines, [
      '/app/compose.yaml:1:19 "include" gone.yaml does not exist',
      '/app/compose.yaml:1:30 "include" oci://x/y: files that are elsewhere are not fetched',
      '/app/compose.yaml:3:3 services: "web" is something else in /app/a.yaml, which is included',
      '/app/a.yaml:1:11 the file includes itself: /app/compose.yaml → /app/a.yaml → /app/compose.yaml',
    ])
  })

  it('brings routes along', async () => {
    const { spec } = await read({
      'compose.yaml':
        'include: [a.yaml]\nx-glovebox: { routes: [{ name: w, service: web, target_port: 1 }] }\nservices: { web: { image: x } }\n',
      'a.yaml': 'services: { a: { image: y } }\nx-glovebox: { routes: [{ name: a, service: a, target_port: 2 }] }\n',
    })
    assert.deepEqual(
      spec.routes?.map(({ name }) => name),
      ['a', 'w'],
    )
  })

  it('lets a file on top change what is included', async () => {
    const { spec } = await read({
      'compose.yaml': 'include: [a.yaml]\nservices: { web: { image: x } }\n',
      'over.yaml': 'services: { a: { image: changed } }\n',
      'a.yaml': 'services: { a: { image: y, user: u } }\n',
    })
    const a = spec.services.find(({ name }) => name === 'a')
    assert.deepEqual([a?.task.image, a?.task.user], ['changed', 'u'])
  })

  it('ends on files that multiply themselves', async () => {
    const files: Record<string, string> = { 'compose.yaml': 'include: [f0.yaml, f0.yaml]\nservices: { web: { image: x } }\n' }
    for (let index = 0; index < 30; index += 1)
      files[`f${index}.yaml`] = `include: [f${index + 1}.yaml, f${index + 1}.yaml]\nservices: { s${index}: { image: x } }\n`
    files['f30.yaml'] = 'services: { end: { image: x } }\n'
    assert.match((await problems(files)).join('\n'), /more than 100 files are read for one application/)
  })
})

describe('several files and their variables', () => {
  it('take the name of the last, and of several environment files the last', async () => {
    const { spec } = await read(
      { 'compose.yaml': 'name: one\nservices: { web: { image: "x:${A}-${B}-${C}" } }\n', 'over.yaml': 'name: two\n' },
      {
        environment: { C: 'env' },
        envFiles: [
          { path: 'a.env', text: 'A=1\nB=1\nC=1\n' },
          { path: 'b.env', text: 'B=${A}2\n' },
        ],
      },
    )
    assert.deepEqual([spec.name, spec.services[0]?.task.image], ['two', 'x:1-12-env'])
    assert.deepEqual(spec.configFiles, ['/app/compose.yaml', '/app/over.yaml'])
  })

  it('keep problems apart by file, in the order of the files', async () => {
    assert.deepEqual(
      await problems({
        'compose.yaml': 'services:\n  web: { image: x, gpus: all }\n',
        'over.yaml': 'services:\n  web: { imagee: y }\n',
      }),
      [
        '/app/compose.yaml:2:20 service web: field "gpus" is not supported: the engine has no GPUs',
        '/app/over.yaml:2:10 service web: field "imagee" is unknown',
      ],
    )
  })
})
