import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'

import { createInstance, hostTraces, type Instance, processesOf, run, until } from './instance.ts'

const EXAMPLE = join(import.meta.dirname, '../../examples/guestbook')
const FIRST_UP_MS = 15 * 60_000
const RECOVERY_MS = 60_000

interface Entry {
  readonly name: string
  readonly message: string
}

test(
  'the guestbook comes up from nothing, keeps its entries through every death, and leaves nothing behind',
  { timeout: 2 * FIRST_UP_MS },
  async (t) => {
    const port = await freePort()
    const instance = createInstance({ GUESTBOOK_PORT: String(port) })
    t.after(() => instance.dispose())
    const before = await hostTraces(instance)
    const book = guestbook(`http://127.0.0.1:${port}`)

    await t.test('one command brings it up and prints its address', async () => {
      const { stdout } = await instance.mustRun('up', EXAMPLE)
      assert.match(stdout, new RegExp(`http://localhost:${port}`))
      assert.match(await (await fetch(book.url)).text(), /Guestbook/)
    })

    await t.test('both replicas answer, and an entry is seen by each', async () => {
      await book.sign('first')
      const seen = await until('two replicas', RECOVERY_MS, async () => {
        const replicas = await book.replicas(20)
        return replicas.size === 2 ? replicas : undefined
      })
      for (const messages of seen.values()) assert.ok(messages.includes('first'))
    })

    await t.test('nothing is wrong with it, and why says so', async () => {
      const book = await instance.glovebox('why', 'guestbook')
      assert.deepEqual(
        [book.code, /^guestbook is as wanted: \d services, (\d) of \1 tasks ready\.\n$/.test(book.stdout)],
        [0, true],
        book.stdout,
      )
      const all = await instance.glovebox('why')
      assert.deepEqual([all.code, all.stdout.startsWith('Nothing is wrong: ')], [0, true], all.stdout)
    })

    await t.test('up again has nothing to do, and says so within two seconds', async () => {
      const start = performance.now()
      const { stdout } = await instance.mustRun('up', EXAMPLE)
      assert.match(stdout, /nothing to do/)
      assert.ok(performance.now() - start < 2000, `took ${Math.round(performance.now() - start)} ms`)
    })

    await t.test('a replica that is killed is replaced, and no visitor notices', async () => {
      const [victim] = await pidsOf(instance, '/app/server.js')
      assert.ok(victim !== undefined)
      process.kill(victim, 'SIGKILL')
      for (let i = 0; i < 50; i += 1) assert.equal((await fetch(book.url)).status, 200)
      await until('two replicas again', RECOVERY_MS, async () =>
        (await pidsOf(instance, '/app/server.js')).length === 2 ? true : undefined,
      )
    })

    await t.test('a database that is killed comes back with every entry', async () => {
      await book.sign('before the database died')
      const [victim] = (await pidsOf(instance, 'postgres -D')).toSorted((a, b) => a - b)
      assert.ok(victim !== undefined)
      process.kill(victim, 'SIGKILL')
      await until('the database again', RECOVERY_MS, () => book.sign('after the database died').then(() => true))
      assert.deepEqual((await book.messages()).toReversed(), ['first', 'before the database died', 'after the database died'])
    })

    await t.test('a daemon that is killed is started again, and containers do not notice', async () => {
      const replicas = await pidsOf(instance, '/app/server.js')
      const [daemon] = processesOf(instance.directory)
        .filter((line) => line.includes('build/daemon.js'))
        .map((line) => Number.parseInt(line, 10))
      assert.ok(daemon !== undefined)
      process.kill(daemon, 'SIGKILL')
      for (let i = 0; i < 20; i += 1) assert.equal((await fetch(book.url)).status, 200)
      await until('the daemon again', RECOVERY_MS, async () =>
        (await instance.glovebox('daemon', 'status')).code === 0 ? true : undefined,
      )
      // The busiest comes first, so the order may be another.
      assert.deepEqual(new Set(await pidsOf(instance, '/app/server.js')), new Set(replicas))
    })

    await t.test('a supervisor that is killed is replaced, and the daemon with it', async () => {
      const pidFile = join(instance.runDir, 'daemon.pid')
      const victim = Number(readFileSync(pidFile, 'utf8'))
      process.kill(victim, 'SIGKILL')
      for (let i = 0; i < 20; i += 1) assert.equal((await fetch(book.url)).status, 200)
      await until('another supervisor', RECOVERY_MS, async () => {
        const isAnother = Number(readFileSync(pidFile, 'utf8')) !== victim
        return isAnother && (await instance.glovebox('daemon', 'status')).code === 0 ? true : undefined
      })
    })

    await t.test('a router that is killed is started again', async () => {
      const [router] = processesOf(instance.directory)
        .filter((line) => line.includes('haproxy'))
        .map((line) => Number.parseInt(line, 10))
      assert.ok(router !== undefined)
      process.kill(router, 'SIGKILL')
      await until('the address again', RECOVERY_MS, async () => ((await fetch(book.url)).ok ? true : undefined))
    })

    await t.test('a shim that is killed takes its container along, and a new one comes', async () => {
      const [replica] = await pidsOf(instance, '/app/server.js')
      assert.ok(replica !== undefined)
      const shim = Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${replica}/status`, 'utf8'))?.[1])
      assert.ok(shim > 1)
      process.kill(shim, 'SIGKILL')
      for (let i = 0; i < 20; i += 1) assert.equal((await fetch(book.url)).status, 200)
      await until('two replicas again', RECOVERY_MS, async () => {
        const pids = await pidsOf(instance, '/app/server.js')
        return pids.length === 2 && !pids.includes(replica) ? true : undefined
      })
    })

    await t.test('down takes it away and its data stays for the next up', async () => {
      await instance.mustRun('down', EXAMPLE)
      assert.equal((await instance.mustRun('ps', '-aq')).stdout, '')
      await instance.mustRun('up', EXAMPLE)
      assert.equal((await book.messages()).length, 3)
    })

    await t.test('the end of the daemon leaves nothing on the host', async () => {
      await instance.mustRun('daemon', 'stop')
      assert.deepEqual(await hostTraces(instance), before)
      const stat = await instance.glovebox('daemon', 'status')
      assert.equal(stat.code, 3)
    })

    await t.test('the next up finds images and entries where they were', async () => {
      await instance.mustRun('up', EXAMPLE)
      assert.equal((await book.messages()).length, 3)
      await instance.mustRun('down', '--volumes', '--yes', EXAMPLE)
    })
  },
)

function guestbook(url: string) {
  const messages = async (): Promise<readonly string[]> =>
    ((await (await fetch(`${url}/entries`)).json()) as Entry[]).map((entry) => entry.message)
  return {
    url,
    messages,
    sign: async (message: string) => {
      const body = new URLSearchParams({ name: 'e2e', message, key: randomUUID() })
      const answer = await fetch(`${url}/entries`, { method: 'POST', body, redirect: 'manual' })
      assert.equal(answer.status, 303, await answer.text())
    },
    /** What each replica that answered shows. */
    replicas: async (times: number): Promise<ReadonlyMap<string, readonly string[]>> => {
      const seen = new Map<string, readonly string[]>()
      for (let i = 0; i < times; i += 1) {
        const answer = await fetch(`${url}/entries`, { headers: { connection: 'close' } })
        seen.set(
          answer.headers.get('x-replica') ?? '',
          ((await answer.json()) as Entry[]).map((entry) => entry.message),
        )
      }
      return seen
    },
  }
}

/** Host pids of the instance's processes whose command has these words. */
async function pidsOf(instance: Instance, words: string): Promise<readonly number[]> {
  const { stdout } = await instance.mustRun('top', '--once', '--format', 'json')
  const rows = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { readonly pid: number; readonly command: string })
  const pids = rows.filter((row) => row.command.includes(words)).map((row) => row.pid)
  // The number is that of the host: the kernel tells the same command there.
  for (const pid of pids)
    assert.match(readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '), new RegExp(words.replaceAll('/', '\\/')))
  return pids
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  assert.ok(typeof address === 'object' && address !== null)
  return address.port
}

test('the launcher finds its way through links and from any directory', async (t) => {
  const instance = createInstance()
  t.after(() => instance.dispose())
  const link = join(instance.directory, 'gb')
  await run('ln', ['-s', join(import.meta.dirname, '../../glovebox'), link])
  const { code, stdout } = await run('sh', ['-c', `cd / && "${link}" version`])
  assert.equal(code, 0)
  assert.match(stdout, /^client {2}\d+\.\d+\.\d+/)
})
