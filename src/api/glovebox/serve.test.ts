import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { fail } from '#base'
import { createClient, type Client } from '#client'

import type { GloveboxApiPorts } from './ports.ts'
import { gloveboxApi } from './serve.ts'
import type { StackStatus } from './wire-stacks.ts'

const status: StackStatus = { name: 'app', revision: 1, state: 'ready', directory: '/app', services: [], volumes: [] }

function noRegistry(): GloveboxApiPorts['registry'] {
  const never = () => assert.fail('not asked')
  return {
    status: never,
    repositories: never,
    content: never,
    remove: never,
    collect: never,
    setRules: never,
    accounts: never,
    putUser: never,
    grantAnybody: never,
    removeUser: never,
  }
}

function noSecrets(): GloveboxApiPorts['secrets'] {
  const never = () => assert.fail('not asked')
  return {
    create: never,
    put: never,
    foresee: never,
    rotate: never,
    setLabels: never,
    list: never,
    inspect: never,
    remove: never,
    usersOf: never,
    configValue: never,
    files: never,
    versions: never,
    rotateKey: never,
  }
}

function noJobs(): GloveboxApiPorts['jobs'] {
  const never = () => assert.fail('not asked')
  return {
    list: never,
    get: never,
    history: never,
    runOf: never,
    run: never,
    cancel: never,
    suspend: never,
    resume: never,
    output: never,
  }
}

function noEnvironments(): GloveboxApiPorts['environments'] {
  const never = () => assert.fail('not asked')
  return {
    create: never,
    list: never,
    get: never,
    set: never,
    extend: never,
    remove: never,
    diff: never,
    refuseStack: never,
    [Symbol.asyncDispose]: never,
  }
}

function noOperations(): Pick<GloveboxApiPorts, 'operations' | 'nodes' | 'actorOf'> {
  const never = () => assert.fail('not asked')
  return {
    operations: { list: never, get: never, tasks: never, history: never, preview: never, perform: never, watch: never },
    nodes: { list: never, get: never, update: never, moves: never, rebalance: never },
    actorOf: () => ({ by: 'ann', from: 'cli' }),
  }
}

function fakePorts(overrides: Partial<GloveboxApiPorts> = {}): GloveboxApiPorts {
  return {
    ...noOperations(),
    stacks: {
      put: async (name) => ({ name, revision: 1, isChanged: true, changes: [], warnings: [] }),
      preview: async () => ({ id: '1', operations: [], warnings: [] }),
      previewRemoval: async () => ({ id: '1', operations: [], warnings: [] }),
      list: () => [],
      get: (name) => {
        if (name !== 'app') throw fail('input.invalid', `no such application: ${name}`, { hint: 'Look with `glovebox status`.' })
        return status
      },
      watch: async function* () {
        yield { kind: 'status', status }
        yield { kind: 'settled', outcome: 'ready', reasons: [], status }
      },
      remove: async () => undefined,
    },
    bootstrap: {
      bootstrap: async function* (reference) {
        yield { status: `fetching ${reference}` }
        throw fail('operation.timeout', 'the mirror does not answer')
      },
    },
    anatomy: { anatomy: () => Promise.reject(new Error('not asked for here')) },
    processes: { processes: async (containers) => containers.map((containerName) => ({ ...one, containerName })) },
    doctor: { findings: async () => [] },
    why: { why: async (name) => ({ name, subjects: [], isWell: true, summary: 'Nothing is wrong.', diagnoses: [], left: 0 }) },
    collection: {
      report: () => assert.fail('not asked'),
      preview: () => assert.fail('not asked'),
      collect: () => assert.fail('not asked'),
    },
    builds: {
      compare: () => assert.fail('not asked'),
      store: () => assert.fail('not asked'),
      build: () => assert.fail('not asked'),
      output: () => assert.fail('not asked'),
      attestations: () => assert.fail('not asked'),
      kept: () => assert.fail('not asked'),
      prune: () => assert.fail('not asked'),
    },
    registry: noRegistry(),
    secrets: noSecrets(),
    metrics: {
      range: async ({ selector, fn, fromMs = 0, toMs = 0, stepS = 60 }) => {
        if (selector !== 'up') throw fail('input.invalid', `no such series: ${selector}`)
        return { fromMs, toMs, stepS, series: [{ name: fn, labels: { service: 'web' }, values: [1, null] }] }
      },
      series: () => [{ name: 'up', labels: {}, lastMs: 1 }],
      targets: () => [],
    },
    policy: {
      report: () => assert.fail('not asked'),
      check: (from, to) => ({ from, to, protocol: 'tcp', port: 80, isAllowed: true, rule: 'a rule', networks: [] }),
      addresses: () => [],
      explain: (_from, name) => ({ name, addresses: null, reason: 'nobody has it', holders: [] }),
    },
    routes: { list: async () => [], inspect: () => assert.fail('not asked'), shift: () => assert.fail('not asked') },
    jobs: noJobs(),
    environments: noEnvironments(),
    shutdown: { prepare: async () => ({ pid: 1, stoppedContainers: 2, leftovers: [] }), leave: () => undefined },
    ...overrides,
  }
}

const one = {
  containerId: 'c',
  containerName: '',
  pid: 1,
  insidePid: 1,
  parentPid: 0,
  user: 'root',
  cpuSeconds: 0,
  rssBytes: 0,
  startedAtMs: 0,
  command: 'x',
}

async function withClient(ports: GloveboxApiPorts, use: (client: Client) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'api-'))
  const api = gloveboxApi(ports)
  const server = createServer((request, response) => {
    void api.handle(request, response).then((isOurs) => {
      if (!isOurs) response.writeHead(404).end('{"message":"not ours"}')
    })
  })
  const path = join(directory, 's')
  await new Promise<void>((resolve) => server.listen(path, resolve))
  try {
    await use(createClient(path))
  } finally {
    server.close()
    rmSync(directory, { recursive: true })
  }
}

async function gather<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const value of values) all.push(value)
  return all
}

test('what the client asks reaches the ports, and what they say comes back', async () => {
  let left = false
  const base = fakePorts()
  await withClient(fakePorts({ shutdown: { ...base.shutdown, leave: () => void (left = true) } }), async ({ glovebox }) => {
    assert.deepEqual(await glovebox.stack('app'), status)
    assert.deepEqual(
      (await gather(glovebox.watchStack('app'))).map((event) => event.kind),
      ['status', 'settled'],
    )
    assert.deepEqual(
      (await glovebox.processes(['a/b', 'c d'])).map((row) => row.containerName),
      ['a/b', 'c d'],
    )
    assert.equal((await glovebox.shutdown({ stopContainers: true })).stoppedContainers, 2)
  })
  assert.ok(left, 'the daemon leaves after its answer is out')
})

test('a stack is checked before it reaches the cluster', async () => {
  await withClient(fakePorts(), async ({ glovebox }) => {
    const model = {
      name: 'app',
      workingDir: '/app',
      configFiles: [],
      services: [],
      networks: [],
      volumes: [],
      secrets: [],
      configs: [],
    }
    assert.equal((await glovebox.putStack('app', { model, images: {} })).isChanged, true)
    await assert.rejects(glovebox.putStack('app', { model: {} as never, images: {} }), { kind: 'invalid' })
  })
})

test('a refusal keeps its code, kind and hint', async () => {
  await withClient(fakePorts(), async ({ glovebox }) => {
    await assert.rejects(glovebox.stack('other'), {
      code: 'input.invalid',
      kind: 'invalid',
      message: 'no such application: other',
      hint: 'Look with `glovebox status`.',
    })
  })
})

test('a failure after the first line is still a failure', async () => {
  await withClient(fakePorts(), async ({ glovebox }) => {
    const seen: string[] = []
    const follow = async () => {
      for await (const step of glovebox.bootstrap('debian:bookworm')) seen.push(step.status)
    }
    await assert.rejects(follow(), { code: 'operation.timeout', message: 'the mirror does not answer' })
    assert.deepEqual(seen, ['fetching debian:bookworm'])
  })
})

test('paths that are not ours are left alone, and unknown ones of ours are refused', async () => {
  await withClient(fakePorts(), async ({ images, glovebox }) => {
    await assert.rejects(images.list({}), { message: 'not ours' })
    await assert.rejects(glovebox.stack('../../etc'), { kind: 'invalid' })
  })
})

test('an absent daemon is told as one', async () => {
  await assert.rejects(createClient('/nowhere/at/all.sock').system.info(), { code: 'client.unreachable', kind: 'unavailable' })
})
