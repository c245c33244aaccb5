import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'

import { type Survivor } from '../kernel/survival-fixture.ts'
import { type ApiClient, unframe } from './api-client.ts'

/** One thing that a client does and whose outcome it knows beforehand. Each leaves nothing behind. */
type Task = (api: ApiClient, token: string) => Promise<void>

const LABEL = 'robustness.client'

const runToEnd: Task = async (api, token) => {
  const exitCode = Number.parseInt(token.slice(0, 2), 16) % 100
  const Cmd = ['sh', '-c', `echo out-${token}; echo err-${token} >&2; exit ${exitCode}`]
  const { Id } = await api.must('POST', `/containers/create?name=run-${token}`, { Image: 'busybox', Cmd })
  await api.must('POST', `/containers/${Id}/start`)
  assert.equal((await api.must('POST', `/containers/${Id}/wait`)).StatusCode, exitCode)
  const { bytes } = await api.send('GET', `/containers/${Id}/logs?stdout=1&stderr=1`)
  assert.deepEqual(unframe(bytes), { stdout: `out-${token}\n`, stderr: `err-${token}\n` })
  const { State } = await api.must('GET', `/containers/run-${token}/json`)
  assert.deepEqual([State.Status, State.ExitCode], ['exited', exitCode])
  await api.must('DELETE', `/containers/${Id}`)
  assert.equal((await api.send('GET', `/containers/${Id}/json`)).status, 404)
}

const execute: Task = async (api, token) => {
  const body = { Image: 'busybox', Cmd: ['sleep', '1000'], Env: [`TOKEN=${token}`], HostConfig: { NetworkMode: 'none' } }
  const { Id } = await api.must('POST', '/containers/create', body)
  await api.must('POST', `/containers/${Id}/start`)
  const Cmd = ['sh', '-c', 'echo $TOKEN; cat /proc/sys/kernel/hostname; exit 7']
  const { Id: exec } = await api.must('POST', `/containers/${Id}/exec`, { Cmd, AttachStdout: true })
  const { bytes } = await api.send('POST', `/exec/${exec}/start`, { Detach: false })
  assert.equal(unframe(bytes).stdout, `${token}\n${String(Id).slice(0, 12)}\n`)
  const seen = await api.must('GET', `/exec/${exec}/json`)
  assert.deepEqual([seen.Running, seen.ExitCode], [false, 7])
  await api.must('DELETE', `/containers/${Id}?force=1`)
}

const findByLabel: Task = async (api, token) => {
  const { Id } = await api.must('POST', '/containers/create', { Image: 'busybox', Cmd: ['true'], Labels: { [LABEL]: token } })
  const filters = encodeURIComponent(JSON.stringify({ label: [`${LABEL}=${token}`] }))
  const listed = await api.must<{ Id: string; State: string; Labels: object }[]>(
    'GET',
    `/containers/json?all=1&filters=${filters}`,
  )
  assert.deepEqual(
    listed.map((one) => [one.Id, one.State, one.Labels]),
    [[Id, 'created', { [LABEL]: token }]],
  )
  await api.must('POST', `/containers/${Id}/rename?name=renamed-${token}`)
  assert.equal((await api.must('GET', `/containers/renamed-${token}/json`)).Id, Id)
  await api.must('DELETE', `/containers/renamed-${token}`)
}

const keepInVolume: Task = async (api, token) => {
  await api.must('POST', '/volumes/create', { Name: `v-${token}`, Labels: { [LABEL]: token } })
  for (const command of [`echo ${token} > /data/page`, 'cat /data/page']) {
    const HostConfig = { Binds: [`v-${token}:/data`], NetworkMode: 'none' }
    const { Id } = await api.must('POST', '/containers/create', { Image: 'busybox', Cmd: ['sh', '-c', command], HostConfig })
    await api.must('POST', `/containers/${Id}/start`)
    assert.equal((await api.must('POST', `/containers/${Id}/wait`)).StatusCode, 0)
    const { bytes } = await api.send('GET', `/containers/${Id}/logs?stdout=1`)
    if (command.startsWith('cat')) assert.equal(unframe(bytes).stdout, `${token}\n`)
    assert.equal((await api.send('DELETE', `/volumes/v-${token}`)).status, 409)
    await api.must('DELETE', `/containers/${Id}`)
  }
  await api.must('DELETE', `/volumes/v-${token}`)
}

const joinNetwork: Task = async (api, token) => {
  const { Id: network } = await api.must('POST', '/networks/create', { Name: `n-${token}` })
  const body = { Image: 'busybox', Cmd: ['sh', '-c', 'ip -4 -o addr show dev eth0; ping -c1 -w5 me >/dev/null'] }
  const HostConfig = { NetworkMode: `n-${token}` }
  const NetworkingConfig = { EndpointsConfig: { [`n-${token}`]: { Aliases: ['me'] } } }
  const { Id } = await api.must('POST', '/containers/create', { ...body, HostConfig, NetworkingConfig })
  await api.must('POST', `/containers/${Id}/start`)
  assert.equal((await api.must('POST', `/containers/${Id}/wait`)).StatusCode, 0)
  const { IPAM } = await api.must('GET', `/networks/${network}`)
  const prefix = String(IPAM.Config[0].Subnet).split('.').slice(0, 2).join('.')
  const { bytes } = await api.send('GET', `/containers/${Id}/logs?stdout=1`)
  assert.match(unframe(bytes).stdout, new RegExp(`inet ${prefix}\\.`))
  await api.must('DELETE', `/containers/${Id}`)
  await api.must('DELETE', `/networks/${network}`)
}

const renameImage: Task = async (api, token) => {
  const { Id } = await api.must('GET', '/images/busybox/json')
  await api.must('POST', `/images/busybox/tag?repo=own/${token}&tag=x`)
  assert.equal((await api.must('GET', `/images/own/${token}:x/json`)).Id, Id)
  assert.deepEqual(await api.must('DELETE', `/images/own/${token}:x`), [{ Untagged: `own/${token}:x` }])
}

const copyFiles: Task = async (api, token) => {
  const { Id } = await api.must('POST', '/containers/create', { Image: 'busybox', Cmd: ['cat', '/letter'] })
  assert.equal((await api.send('PUT', `/containers/${Id}/archive?path=/`, tarOf('letter', Buffer.from(token)))).status, 200)
  const { bytes } = await api.send('GET', `/containers/${Id}/archive?path=/letter`)
  assert.equal(bytes.subarray(512, 512 + token.length).toString(), token)
  await api.must('POST', `/containers/${Id}/start`)
  await api.must('POST', `/containers/${Id}/wait`)
  const logs = await api.send('GET', `/containers/${Id}/logs?stdout=1`)
  assert.equal(unframe(logs.bytes).stdout, token)
  await api.must('DELETE', `/containers/${Id}`)
}

/** One file as a tar (POSIX.1 ustar). */
function tarOf(path: string, content: Buffer): Buffer {
  const header = Buffer.alloc(512)
  header.write(path)
  header.write('0000644\0', 100)
  header.write('0000000\0', 108)
  header.write('0000000\0', 116)
  header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124)
  header.write('00000000000\0', 136)
  header.write('        0', 148)
  header.write('ustar\x0000', 257)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  const body = Buffer.alloc(Math.ceil(content.length / 512) * 512)
  content.copy(body)
  return Buffer.concat([header, body, Buffer.alloc(1024)])
}

const TASKS: readonly Task[] = [runToEnd, execute, findByLabel, keepInVolume, joinNetwork, renameImage, copyFiles]

export interface Busy {
  tasks: number
  readonly complaints: string[]
}

/** Does one task after another until it is over, beginning with another one than its neighbours. */
export async function beBusy(api: ApiClient, client: number, isOver: () => boolean, busy: Busy): Promise<void> {
  for (let turn = client; !isOver(); turn += 1) {
    const task = TASKS[turn % TASKS.length] ?? runToEnd
    try {
      await task(api, randomUUID().replaceAll('-', '').slice(0, 16))
      busy.tasks += 1
    } catch (error) {
      busy.complaints.push(`client ${client}, ${task.name}: ${String(error)}`)
    }
  }
  api.close()
}

/** As `beBusy`, by the docker command line. */
export async function beBusyByCommand(s: Survivor, client: number, isOver: () => boolean, busy: Busy): Promise<void> {
  while (!isOver()) {
    const token = randomUUID().slice(0, 8)
    try {
      const { code, stdout } = await s.docker(
        'run',
        '--rm',
        '--label',
        `${LABEL}=${token}`,
        'busybox',
        'sh',
        '-c',
        `echo ${token}; exit 3`,
      )
      assert.deepEqual([code, stdout], [3, `${token}\n`])
      busy.tasks += 1
    } catch (error) {
      busy.complaints.push(`command line ${client}: ${String(error)}`)
    }
  }
}
