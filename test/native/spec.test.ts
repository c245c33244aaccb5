import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'

import { planRuntimeSpec, processSpec, type RuntimeSpecInput } from '#engine/runtime/spec'
import { linuxHost } from '#host'

import { PLAIN_INPUT } from '../../src/engine/runtime/spec/testing.ts'
import { buildProbe, collect, fixture, type Collected, type Fixture } from './fixture.ts'

/** x86-64. */
const CALL = { socket: 41, clone: 56, personality: 135, mount: 165, keyctl: 250, clone3: 435, unknown: 999 }

const host = linuxHost({ cgroupPath: '/glovebox-none' }).kernel.facts()

async function run(made: Fixture, args: readonly string[], change: (input: RuntimeSpecInput) => RuntimeSpecInput = (i) => i) {
  const bundle = mkdtempSync(join(made.root, 'bundle-'))
  const rootfs = join(bundle, 'rootfs')
  mkdirSync(rootfs, { recursive: true })
  buildProbe(join(rootfs, 'init'))
  const group = `/${made.root.split('/').at(-1)}/spec`
  const input = change({
    ...PLAIN_INPUT,
    rootfs: { path: rootfs, isReadOnly: false },
    cgroupsPath: group,
    process: { ...PLAIN_INPUT.process, args: ['/init', ...args] },
  })
  let output: Collected | undefined
  const process = await made.runtime.start({
    id: 'spec',
    dir: made.dir('spec'),
    bundle,
    spec: planRuntimeSpec(input, host),
    isTty: false,
    hasStdin: false,
    subscription: { stdout: true, stderr: true },
    onConnected: (connection) => void (output = collect(connection)),
  })
  return { process, input, bundle, text: () => output?.text() ?? '', output }
}

async function textOf(made: Fixture, args: readonly string[], change?: (input: RuntimeSpecInput) => RuntimeSpecInput) {
  const { process, text } = await run(made, args, change)
  await process.outputEnded
  await made.runtime.delete('spec')
  return text()
}

const field = (status: string, name: string) => new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(status)?.[1] ?? ''

test('a container has the default capabilities, a filter, limits, and masked paths', async (t: TestContext) => {
  const made = await fixture(t)
  const text = await textOf(
    made,
    ['cat', '/proc/self/status', 'cat', '/proc/self/limits', 'cat', '/proc/keys', 'cat', '/proc/sys/kernel/domainname'],
    (input) => ({
      ...input,
      process: { ...input.process, ulimits: [{ name: 'nofile', soft: 100, hard: -1 }] },
      domainname: 'example.org',
    }),
  )
  assert.equal(field(text, 'CapEff'), '00000000a80425fb')
  assert.equal(field(text, 'CapBnd'), '00000000a80425fb')
  assert.equal(field(text, 'CapAmb'), '0000000000000000')
  assert.equal(field(text, 'Seccomp'), '2')
  assert.match(text, /Max open files\s+100\s+\d+/)
  assert.match(text, /example\.org\n$/)
  assert.doesNotMatch(text, /keyring/)
})

test('refused calls answer EPERM, unknown ones ENOSYS, the second time by the compiled filter, and so does an exec', async (t) => {
  const made = await fixture(t)
  const calls = [
    `${CALL.mount},0,0,0`,
    `${CALL.keyctl},0,0,0`,
    `${CALL.clone3},0,0,0`,
    `${CALL.unknown},0,0,0`,
    `${CALL.socket},38,2,0`,
    `${CALL.socket},40,1,0`,
    `${CALL.socket},2,1,0`,
    `${CALL.clone},${0x1000_0000 + 17},0,0`,
    `${CALL.personality},262144,0,0`,
  ].flatMap((call) => ['call', call])
  const no = 'Operation not permitted'
  const unknown = 'Function not implemented'
  const expected = [no, no, unknown, unknown, no, no, 'ok', no, no]
  const first = await textOf(made, calls)
  assert.deepEqual(first.trim().split('\n'), expected)
  const config = () => readFileSync(join(second.bundle, 'config.json'), 'utf8')
  const second = await run(made, [...calls, 'wait'])
  await second.output?.until(`ok\n${no}\n${no}\n`)
  assert.match(config(), /run\.oci\.seccomp_bpf_data/)
  assert.doesNotMatch(config(), /SCMP_ACT_ALLOW/)
  const { process, security } = second.input
  let text = ''
  const exec = await made.runtime.exec({
    id: 'spec',
    dir: made.dir('exec'),
    process: () => processSpec({ ...process, args: ['/init', ...calls] }, security, host),
    isTty: false,
    hasStdin: false,
    subscription: { stdout: true, stderr: true },
    onConnected: (connection) => void connection.listen({ output: (_stream, bytes) => void (text += bytes.toString()) }),
  })
  await exec.outputEnded
  assert.deepEqual(text.trim().split('\n'), expected)
  assert.deepEqual(second.text().trim().split('\n'), expected)
})

test('limits reach the cgroup, and the privileged are not confined', async (t) => {
  const made = await fixture(t)
  const limited = await run(made, ['wait'], (input) => ({
    ...input,
    resources: { ...input.resources, memoryBytes: 64 << 20, pidsLimit: 17, nanoCpus: 500_000_000 },
  }))
  const read = (v1: string, v2: string) => {
    const group = limited.input.cgroupsPath
    const paths = [`/sys/fs/cgroup/${v1.split('.')[0]}${group}/${v1}`, `/sys/fs/cgroup${group}/${v2}`]
    return readFileSync(paths.find(existsSync) ?? '', 'utf8').trim()
  }
  assert.equal(read('memory.limit_in_bytes', 'memory.max'), String(64 << 20))
  assert.equal(read('pids.max', 'pids.max'), '17')
  assert.match(read('cpu.cfs_quota_us', 'cpu.max'), /^50000/)
  limited.process.signal(9)
  await limited.process.exited
  await made.runtime.delete('spec')
  const text = await textOf(made, ['cat', '/proc/self/status'], (input) => ({
    ...input,
    security: { ...input.security, isPrivileged: true },
  }))
  assert.equal(field(text, 'Seccomp'), '0')
  assert.equal(
    BigInt(`0x${field(text, 'CapEff')}`)
      .toString(2)
      .replaceAll('0', '').length,
    host.capabilities.length,
  )
})
