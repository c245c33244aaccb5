import { get } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'

import { until } from '../support/processes.ts'

/** The real docker command line: an error when it ends with another code than 0. */
export type Command = (...words: readonly string[]) => Promise<string>

export const PATIENCE_MS = 60_000

/** Words of `docker service create` for a service of `task-server` that speaks HTTP at a published port. */
export function createWords(name: string, replicas: number, more: readonly string[] = []): readonly string[] {
  return [
    ...['service', 'create', '-d', '-q', '--name', name, '--label', 'io.glovebox.app-protocol=http', '-p', '8080'],
    ...[
      '--replicas',
      String(replicas),
      '--update-order',
      'start-first',
      '--update-parallelism',
      '2',
      '--update-monitor',
      '300ms',
    ],
    // A new task that is killed counts as one that failed.
    ...['--update-failure-action', 'continue'],
    ...['--restart-delay', '100ms', ...more, 'task-server', '/bin/task-server'],
  ]
}

async function portOf(docker: Command, name: string): Promise<number> {
  return Number(await docker('service', 'inspect', '-f', '{{(index .Endpoint.Ports 0).PublishedPort}}', name))
}

/** Its port, once somebody answers there. */
export async function answeringPort(docker: Command, name: string): Promise<number> {
  const port = await portOf(docker, name)
  await until(`${name} to answer`, PATIENCE_MS, async () => ((await ask(port)).status === 200 ? true : undefined))
  return port
}

export async function reaches(docker: Command, name: string, replicas: number): Promise<void> {
  await until(`${name} to have ${replicas} tasks`, PATIENCE_MS, async () => {
    const said = await docker('service', 'ls', '--filter', `name=${name}`, '--format', '{{.Replicas}}')
    return said.startsWith(`${replicas}/${replicas}`) ? true : undefined
  })
}

export async function rolls(docker: Command, name: string, version: string): Promise<void> {
  await docker('service', 'update', '-d', '-q', '--env-add', `VERSION=${version}`, name)
}

export async function rolled(docker: Command, name: string): Promise<void> {
  await until(`the rollout of ${name} to be over`, PATIENCE_MS, async () => {
    const state = await docker('service', 'inspect', '-f', '{{.UpdateStatus.State}}', name)
    if (state !== 'completed' && state !== 'updating') throw new Error(`it is ${state}`)
    return state === 'completed' ? true : undefined
  })
}

export interface Answer {
  readonly status: number
  readonly version: string
  /** Twelve characters of its container's id. */
  readonly task: string
}

export async function ask(port: number, path = '/'): Promise<Answer> {
  return await new Promise((resolve, reject) => {
    const asked = get({ host: '127.0.0.1', port, path, agent: false }, (response) => {
      response.resume()
      const { 'x-version': version = '', 'x-task': task = '' } = response.headers
      response.on('end', () => resolve({ status: response.statusCode ?? 0, version: String(version), task: String(task) }))
    })
    asked.on('error', reject)
  })
}

/** Milliseconds from the request at which each of so many server-sent events came. */
export async function eventTimes(port: number, count: number): Promise<readonly number[]> {
  const startMs = performance.now()
  const times: number[] = []
  return await new Promise((resolve, reject) => {
    const asked = get({ host: '127.0.0.1', port, path: `/events?${count}`, agent: false }, (response) => {
      response.on('data', (chunk: Buffer) => {
        for (let seen = chunk.toString().split('data: ').length - 1; seen > 0; seen -= 1) times.push(performance.now() - startMs)
      })
      response.on('error', reject)
      response.on('end', () => resolve(times))
    })
    asked.on('error', reject)
  })
}

/** What HAProxy of this run directory says to one command. */
export async function askProxy(runDir: string, command: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    const socket = connect(join(runDir, 'router/haproxy.sock'))
    let text = ''
    socket.setEncoding('utf8')
    socket.on('data', (part: string) => (text += part))
    socket.on('error', reject)
    socket.on('end', () => resolve(text))
    socket.end(`${command}\n`)
  })
}

/** Whether the router would send a request to the address. */
export async function isServed(runDir: string, address: string): Promise<boolean> {
  const [, head = '', ...lines] = (await askProxy(runDir, 'show servers state')).split('\n')
  const names = head.replace('# ', '').split(' ')
  const [at, operational, administrative] = ['srv_addr', 'srv_op_state', 'srv_admin_state'].map((name) => names.indexOf(name))
  const words = lines.map((line) => line.split(' ')).find((line) => line[at ?? -1] === address)
  return words !== undefined && words[operational ?? -1] === '2' && words[administrative ?? -1] === '0'
}
