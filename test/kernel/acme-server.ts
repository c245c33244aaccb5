import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { createServer } from 'node:net'
import { join } from 'node:path'

import { systemClock } from '#base'

/** Pebble, the ACME server that Let's Encrypt made for tests, and a DNS server that says 127.0.0.1 to everything. */
export interface AcmeServer extends Disposable {
  readonly directoryUrl: string
  /** PEM of who signed the server's own certificate. */
  readonly ca: string
}

const DEADLINE_MS = 10_000

/** `httpPort`: where it asks for proofs. `own`: chain and key in one text, for `localhost`. `lifeSeconds`: of what it issues; 0: five years. */
export async function startAcmeServer(
  directory: string,
  httpPort: number,
  own: { readonly pem: string; readonly ca: string },
  lifeSeconds = 0,
): Promise<AcmeServer> {
  const clock = systemClock()
  const [acme, management, dns, dnsManagement] = [await freePort(), await freePort(), await freePort(), await freePort()]
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'own.pem'), own.pem, { mode: 0o600 })
  const config = {
    pebble: {
      listenAddress: `127.0.0.1:${acme}`,
      managementListenAddress: `127.0.0.1:${management}`,
      certificate: join(directory, 'own.pem'),
      privateKey: join(directory, 'own.pem'),
      httpPort,
      tlsPort: httpPort,
      ocspResponderURL: '',
      externalAccountBindingRequired: false,
      ...(lifeSeconds === 0 ? {} : { certificateValidityPeriod: lifeSeconds }),
    },
  }
  writeFileSync(join(directory, 'pebble.json'), JSON.stringify(config))
  const children: ChildProcess[] = []
  const start = (command: string, args: readonly string[]) => {
    const env = { ...process.env, PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: '20' }
    children.push(spawn(command, args, { stdio: 'ignore', env }))
  }
  const off = ['-http01', '', '-https01', '', '-tlsalpn01', '']
  start('pebble-challtestsrv', [
    '-dns01',
    `127.0.0.1:${dns}`,
    '-management',
    `127.0.0.1:${dnsManagement}`,
    '-defaultIPv4',
    '127.0.0.1',
    '-defaultIPv6',
    '',
    ...off,
  ])
  start('pebble', ['-config', join(directory, 'pebble.json'), '-dnsserver', `127.0.0.1:${dns}`])
  const directoryUrl = `https://localhost:${acme}/dir`
  const deadline = clock.monotonicMs() + DEADLINE_MS
  while (!(await answers(directoryUrl, own.ca))) {
    if (clock.monotonicMs() > deadline) throw new Error('pebble does not start')
    await clock.sleep(50)
  }
  return {
    directoryUrl,
    ca: own.ca,
    [Symbol.dispose]: () => {
      for (const child of children) child.kill('SIGKILL')
    },
  }
}

async function answers(url: string, ca: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const asked = request(url, { ca, agent: false }, (response) => {
    response.resume()
    resolve(response.statusCode === 200)
  })
  asked.on('error', () => resolve(false))
  asked.end()
  return await promise
}

async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}
