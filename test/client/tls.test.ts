import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'

import { startDaemon, type TestDaemon } from '../support/daemon.ts'
import { type Docker, dockerClients, dockerOf } from '../support/docker.ts'
import { busyboxTar } from '../support/image.ts'
import { run, until } from '../support/processes.ts'
import { oddCertificates } from './tls-certificates.ts'

const HOME = join(import.meta.dirname, '../..')

describe('a daemon on TCP', () => {
  const directory = mkdtempSync(join(tmpdir(), 'glovebox-tls-'))
  const at = (name: string) => join(directory, name)
  let daemon: TestDaemon
  let port = 0
  const over = (docker: Docker, certificates: string): Docker => {
    const tls = { DOCKER_HOST: `tcp://127.0.0.1:${port}`, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: at(certificates) }
    return dockerOf(daemon, docker.path, tls)
  }

  before(async () => {
    const made = await run(join(HOME, 'glovebox'), ['daemon', 'certificates', '--host', '127.0.0.1', directory])
    assert.equal(made.code, 0, made.stderr)
    await oddCertificates(directory)
    const files = ['--tls-ca', at('ca.pem'), '--tls-cert', at('daemon/cert.pem'), '--tls-key', at('daemon/key.pem')]
    daemon = await startDaemon(['--tcp', '127.0.0.1:0', ...files])
    port = Number(/listening with TLS address=127\.0\.0\.1:(\d+)/.exec(daemon.log())?.[1])
    const [path = ''] = dockerClients()
    await dockerOf(daemon, path).must('import', '--change', 'ENV PATH=/bin', await busyboxTar(daemon.directory), 'busybox')
  })
  after(async () => {
    await daemon.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  for (const path of dockerClients())
    test(`runs, executes and attaches for ${path} with a certificate`, async () => {
      const docker = over(dockerOf(daemon, path), 'client')
      const sorted = await docker.with({ input: 'b\na\n' }, 'run', '--rm', '-i', 'busybox', 'sort')
      assert.deepEqual([sorted.code, sorted.stdout], [0, 'a\nb\n'])
      const large = await docker('run', '--rm', 'busybox', 'dd', 'if=/dev/zero', 'bs=1M', 'count=20')
      assert.equal(large.stdout.length, 20 << 20)
      await docker.must('run', '-d', '--name', 'box', 'busybox', 'sh', '-c', 'cat; sleep 100')
      const typed = await docker.with({ input: 'typed' }, 'exec', '-i', 'box', 'cat')
      assert.equal(typed.stdout, 'typed')
      // `script` gives the client a terminal.
      const quoted = `${path} exec -it box sh -c 'test -t 0 && echo terminal; exit 7'`
      const terminal = await run('script', ['-qec', quoted, '/dev/null'], { env: docker.env })
      assert.deepEqual([terminal.code, terminal.stdout.includes('terminal\r\n')], [7, true])
      await docker.must('rm', '-f', 'box')
      await docker.must('create', '-i', '-a', 'stdin', '-a', 'stdout', '--name', 'late', 'busybox', 'cat')
      const attached = await docker.with({ input: 'through' }, 'start', '-a', '-i', 'late')
      assert.equal(attached.stdout, 'through')
      await docker.must('rm', 'late')
    })

  test('glovebox itself speaks to it by the same variables', async () => {
    const [path = ''] = dockerClients()
    const { env } = over(dockerOf(daemon, path), 'client')
    const glovebox = (...words: readonly string[]) => run(join(HOME, 'glovebox'), words, { env: { ...env } })
    const ran = await glovebox('run', '--rm', 'busybox', 'echo', 'over TLS')
    assert.deepEqual([ran.code, ran.stdout, ran.stderr], [0, 'over TLS\n', ''])
    const { DOCKER_TLS_VERIFY: _, ...bare } = env
    const refused = await run(join(HOME, 'glovebox'), ['ps'], { env: bare })
    assert.match(refused.stderr, /a daemon is not spoken to without TLS/)
    const stranger = { ...env, DOCKER_CERT_PATH: at('stranger') }
    assert.match((await run(join(HOME, 'glovebox'), ['ps'], { env: stranger })).stderr, /self.signed|unable to (get|verify)/i)
  })

  for (const [what, certificates, words] of [
    // Go's clients do not show what the daemon's CA has not signed.
    ['another CA', 'foreign', /asks for a client certificate that its CA signed, and none was given/],
    ['an end', 'expired', /client certificate "anna" is refused: it has expired/],
    ['another purpose', 'server-only', /client certificate "anna" is refused: it is not meant for clients/],
  ] as const)
    test(`a certificate with ${what} is refused, and the client learns why`, async () => {
      for (const path of dockerClients()) {
        const refused = await over(dockerOf(daemon, path), certificates)('ps')
        assert.equal(refused.code, 1)
        assert.match(refused.stderr, words)
      }
    })

  test('without a certificate nobody gets in', async () => {
    const answer = await run('curl', ['-sS', '--cacert', at('ca.pem'), `https://127.0.0.1:${port}/v1.41/info`])
    assert.match(answer.stdout, /asks for a client certificate that its CA signed, and none was given/)
    const status = await run('curl', ['-s', '-o', '/dev/null', '-w', '%{http_code}', '-k', `https://127.0.0.1:${port}/_ping`])
    assert.equal(status.stdout, '403')
    const foreign = ['--cert', at('foreign/cert.pem'), '--key', at('foreign/key.pem')]
    const shown = await run('curl', ['-sS', '-k', ...foreign, `https://127.0.0.1:${port}/v1.41/info`])
    assert.match(shown.stdout, /client certificate \\"anna\\" is refused: it is not signed by the daemon's CA/)
    // Nothing behind the refusal is read as a request.
    const posted = await run('curl', ['-sS', '-k', '-X', 'POST', '-d', '{}', `https://127.0.0.1:${port}/v1.41/networks/create`])
    assert.match(posted.stdout, /none was given/)
  })

  test('plain HTTP is told that this is not the place', async () => {
    const answer = await new Promise<string>((resolve, reject) => {
      request({ port, path: '/_ping' }, (response) => void text(response).then(resolve, reject))
        .on('error', reject)
        .end()
    })
    assert.match(answer, /this is plain HTTP, and the daemon speaks TLS here/)
  })

  test('bytes that only begin like a handshake end the connection', async () => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.write(Buffer.from([0x16, ...Array<number>(64).fill(0xff)]))
    await until('the connection to be cut', 5000, async () => (socket.destroyed ? true : await Promise.resolve(undefined)))
  })

  test('TCP without certificates is refused at the start, with advice', async () => {
    const bare = await run(join(HOME, 'glovebox'), ['daemon', '--root', at('r'), '--run-dir', at('run'), '--tcp', '127.0.0.1:0'])
    assert.match(bare.stderr, /--tls-ca and --tls-cert and --tls-key missing\n.*glovebox daemon certificates/)
    assert.notEqual(bare.code, 0)
  })
})
