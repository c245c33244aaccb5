import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttp, request } from 'node:http'
import { createServer as createHttps } from 'node:https'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { systemClock } from '../../src/base/index.ts'
import { keyOf, type NodeRecord, type RevisionRecord, type ServiceRecord } from '../../src/cluster/model/index.ts'
import { openSqliteStore } from '../../src/cluster/store/index.ts'
import { startDaemon, type TestDaemon } from '../support/daemon.ts'
import { dockerClients, dockerOf, type Docker } from '../support/docker.ts'
import { busyboxTar } from '../support/image.ts'
import { run } from '../support/processes.ts'
import { wishFor } from '../sim/specs.ts'
import { untilWhy, whyOf } from '../support/why.ts'
import { type Bench, type Case, ENDS, IMAGES, PLACES } from './why-cases.ts'
import { LIVES } from './why-more-cases.ts'

const PATIENCE_MS = 20_000
/** Two subnets: the default network has one. */
const POOLS = ['--default-address-pool', 'base=10.253.76.0/24,size=25']

describe('why', () => {
  let daemon: TestDaemon
  let docker: Docker
  const servers: { close(): unknown }[] = []

  before(async () => {
    const cluster = await oldCluster()
    daemon = await startDaemon(POOLS, (directory) => {
      mkdirSync(join(directory, 'root'))
      copyFileSync(cluster, join(directory, 'root/cluster.db'))
      return { [Symbol.dispose]: () => undefined }
    })
    rmSync(join(cluster, '..'), { recursive: true })
    docker = dockerOf(daemon, dockerClients().at(-1) ?? '')
    await importBusybox(daemon, docker)
    await docker.must('swarm', 'init')
  })
  after(async () => {
    for (const server of servers) server.close()
    await daemon.stop()
  })

  const listen = async (server: Server): Promise<number> => {
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve))
    return (server.address() as AddressInfo).port
  }
  const registry = async (status: number, code: string) => {
    const server = createHttp((_, response) => {
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ errors: [{ code, message: 'no' }] }))
    })
    return `127.0.0.1:${await listen(server)}`
  }
  /** Not on the loopback, where nobody asks for a certificate: the bridge's own address. */
  const untrusted = async () => {
    const [cert, key] = ['cert.pem', 'key.pem'].map((name) => join(daemon.directory, name))
    const subject = ['-nodes', '-subj', '/CN=nobody', '-days', '2', '-keyout', key ?? '', '-out', cert ?? '']
    const made = await run('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', ...subject])
    assert.equal(made.code, 0, made.stderr)
    await docker.must('network', 'create', '--subnet', '10.253.79.0/29', 'outside')
    await docker.must('run', '-d', '--stop-timeout', '1', '--network', 'outside', 'busybox', 'sleep', '1000')
    const port = await listen(createHttps({ cert: readFileSync(cert ?? ''), key: readFileSync(key ?? '') }))
    return `10.253.79.1:${port}`
  }
  const api: Bench['api'] = async (method, path, body) =>
    await new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json' }
      const asked = request({ socketPath: daemon.socketPath, method, path: `/v1.41${path}`, headers }, (answer) => {
        answer.resume()
        answer.on('end', () => ((answer.statusCode ?? 500) < 300 ? resolve() : reject(new Error(String(answer.statusCode)))))
      })
      asked.on('error', reject)
      asked.end(JSON.stringify(body))
    })
  const bench = async (): Promise<Bench> => ({
    must: docker.must,
    docker,
    directory: daemon.directory,
    registries: { empty: await registry(404, 'MANIFEST_UNKNOWN'), closed: await registry(401, 'UNAUTHORIZED'), untrusted },
    takenPort: async () => await listen(createServer()),
    freePort,
    api,
    up: async (name, file) => {
      const directory = join(daemon.directory, name)
      mkdirSync(directory)
      writeFileSync(join(directory, 'compose.yaml'), file)
      const { code, stdout, stderr } = await daemon.glovebox('up', '--detach', directory)
      assert.equal(code, 0, stdout + stderr)
    },
    glovebox: daemon.glovebox,
    kill: (pid) => process.kill(pid, 'SIGKILL'),
  })

  const cases: readonly Case[] = [...PLACES, ...IMAGES, ...ENDS, ...LIVES]
  const causing = new Map<Case, Promise<unknown>>()
  before(async () => {
    const known = new Set(['elsewhere', 'keyless'])
    const others = (await whyOf(daemon)).diagnoses.filter(
      ({ about }) => !known.has(about.find(({ kind }) => kind !== 'task')?.name ?? ''),
    )
    assert.deepEqual(others, [], 'nothing else is wrong with a fresh daemon')
    const given = await bench()
    // As many at a time as keep two processors busy.
    const waiting = [...cases]
    const worker = async () => {
      for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
        const caused = one.cause(given)
        causing.set(one, caused)
        await caused.catch(() => undefined)
      }
    }
    await Promise.all(Array.from({ length: 4 }, worker))
  })
  for (const one of cases)
    test(`${one.title} is told`, async () => {
      await causing.get(one)
      const { advice, about } = await untilWhy(daemon, one.name, one, PATIENCE_MS)
      assert.match(advice, /\S.*[.]$/)
      assert.ok(about.length > 0)
    })

  test('the command line tells the sentence first, then what it was seen by and what to do', async () => {
    const told = await daemon.glovebox('why', 'crashing')
    assert.equal(told.code, 1)
    assert.match(
      told.stdout,
      /^crashing\.1 ended with exit code 3.*\n {4}exit code 3.*\n {4}log: cannot read the configuration\n[\s\S]*\n {2}→ `glovebox logs /,
    )
    const json = await daemon.glovebox('why', 'crashing', '--format', 'json')
    assert.equal((JSON.parse(json.stdout) as { readonly name: string }).name, 'crashing')
    const well = await daemon.glovebox('why', 'database')
    assert.deepEqual(
      [well.code, /^database runs for .*, and nothing is wrong with it\.\n$/.test(well.stdout)],
      [0, true],
      well.stdout,
    )
    const unknown = await daemon.glovebox('why', 'databsae')
    assert.equal(unknown.code, 1)
    assert.match(unknown.stderr, /nothing here is called databsae[\s\S]*Did you mean database\?/)
    assert.equal((await daemon.glovebox('why')).code, 1)
    const image = await whyOf(daemon, 'registry.invalid/app:1')
    assert.deepEqual([image.subjects.map(({ kind }) => kind), image.diagnoses[0]?.code], [['image'], 'image.unreachable'])
  })

  test('a node that is drained is told, and what it is missed by', async () => {
    const node = await docker.must('info', '--format', '{{.Swarm.NodeID}}')
    await docker.must('node', 'update', '--availability', 'pause', node)
    await untilWhy(
      daemon,
      node,
      { code: 'node.paused', sentence: /is paused: it gets no new tasks/, evidence: /availability pause/ },
      PATIENCE_MS,
    )
    await docker.must('node', 'update', '--availability', 'drain', node)
    await docker.must('service', 'create', '-d', '-q', '--no-resolve-image', '--name', 'homeless', 'busybox', 'sleep', '1000')
    await untilWhy(
      daemon,
      'homeless',
      {
        code: 'place.availability',
        sentence: /^homeless\.1 has no node: 1 node is drained\.$/,
        evidence: /refused by their availability/,
      },
      PATIENCE_MS,
    )
    await untilWhy(
      daemon,
      node,
      { code: 'node.drained', sentence: /is drained: its tasks go elsewhere/, evidence: /availability drain/ },
      PATIENCE_MS,
    )
  })
})

/** A node that was here once and had a volume; and a service with a secret that is not there, as after a backup without its key. */
async function oldCluster(): Promise<string> {
  const path = join(mkdtempSync(join(tmpdir(), 'glovebox-test-')), 'cluster.db')
  await using store = openSqliteStore({ path, clock: systemClock() })
  const node: NodeRecord = {
    id: 'n0',
    labels: {},
    role: 'worker',
    availability: 'active',
    createdAtMs: 1,
    updatedAtMs: 1,
    description: {
      hostname: 'elsewhere',
      platform: { os: 'linux', architecture: 'amd64' },
      nanoCpus: 1e9,
      memoryBytes: 1e9,
      engineLabels: {},
      engineVersion: '',
      volumes: ['far'],
    },
    status: { state: 'ready', sinceMs: 1, message: '', address: '192.0.2.9' },
  }
  const { name, spec, parts } = wishFor({ name: 'keyless', image: 'busybox:latest', stack: null })
  const secret = { secret: 'pin', target: '/run/secrets/pin', uid: 0, gid: 0, mode: 0o444 }
  const revision: RevisionRecord = {
    serviceId: 's0',
    number: 1,
    spec: { ...spec, secrets: [secret], task: { ...spec.task, networks: [], command: ['sleep', '1000'] } },
    parts: { ...parts, networks: [], secrets: [{ key: 'pin', name: 'pin', isExternal: true, labels: {} }] },
    imageId: null,
    templateHash: 'h',
    createdAtMs: 1,
    by: 'user',
  }
  const service: ServiceRecord = {
    id: 's0',
    name,
    stack: null,
    labels: {},
    revision: 1,
    previousRevision: null,
    replicas: 1,
    state: 'active',
    rollout: null,
    createdAtMs: 1,
    updatedAtMs: 1,
  }
  await store.write({
    puts: [
      { key: keyOf('node', node.id), value: node },
      { key: keyOf('service', service.id), value: service },
      { key: keyOf('revision', service.id, 1), value: revision },
      { key: keyOf('name', 'service', name), value: { id: service.id } },
    ],
  })
  return path
}

/** With a file that only looks like a program, an ELF header of AArch64 (e_machine 183), and a script that nobody reads. */
async function importBusybox(daemon: TestDaemon, docker: Docker): Promise<void> {
  const tar = await busyboxTar(daemon.directory)
  const root = join(daemon.directory, 'foreign/bin')
  mkdirSync(root, { recursive: true })
  const header = Buffer.alloc(120)
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]).copy(header)
  header.writeUInt16LE(2, 16)
  header.writeUInt16LE(183, 18)
  writeFileSync(join(root, 'foreign'), header, { mode: 0o755 })
  writeFileSync(join(root, 'scripted'), '#!/no/such/interpreter\n', { mode: 0o755 })
  const added = await run('tar', ['-C', join(root, '..'), '-rf', tar, './bin/foreign', './bin/scripted'])
  assert.equal(added.code, 0, added.stderr)
  await docker.must('import', '-c', 'ENV PATH=/bin', tar, 'busybox')
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
