import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import fc from 'fast-check'

import type { RuntimeProcess } from '#oci/runtime-spec'

import { enterArguments } from './enter-arguments.ts'
import { capabilityMask, filterFlags, rlimitNumber } from './kernel-numbers.ts'
import { readRunningContainer } from './running-container.ts'

const CONTAINER = { pid: 7, startTicks: 99, cgroup: '/g/c', filter: undefined }
const PLAIN: RuntimeProcess = { args: ['/bin/true'], env: [], cwd: '/', user: { uid: 0, gid: 0 } }
const OPTIONS = { dir: '/d', isTty: false, hasStdin: false }

test('a plain process names its container, its user and its command', () => {
  assert.equal(
    enterArguments(PLAIN, CONTAINER, OPTIONS).join(' '),
    'enter --dir /d --pid 7 --start-ticks 99 --cgroup /g/c --uid 0 --gid 0 --umask 18 --cwd / --bounding 0 --effective 0 --permitted 0 --env -- /bin/true',
  )
})

test('a terminal, a filter, groups, limits and privileges are told in numbers', () => {
  const words = enterArguments(
    {
      ...PLAIN,
      user: { uid: 5, gid: 6, additionalGids: [7, 8], umask: 0 },
      consoleSize: { height: 24, width: 80 },
      capabilities: { bounding: ['CAP_CHOWN', 'CAP_KILL'], permitted: ['CAP_CHECKPOINT_RESTORE'] },
      rlimits: [{ type: 'RLIMIT_NOFILE', soft: 10, hard: 18446744073709551615n }],
      noNewPrivileges: true,
      apparmorProfile: 'docker-default',
      oomScoreAdj: -5,
    },
    { ...CONTAINER, filter: { path: '/f', flags: 4 } },
    { ...OPTIONS, isTty: true, hasStdin: true, subscription: { stdout: true, stderr: false } },
  ).join(' ')
  for (const part of [
    '--seccomp /f --seccomp-flags 4',
    '--group 7 --group 8',
    '--bounding 21 --effective 0 --permitted 10000000000',
    '--rlimit 7:10:18446744073709551615 --oom-score -5 --apparmor docker-default --no-new-privileges --tty --rows 24 --columns 80 --stdin --subscribe 1',
  ])
    assert.ok(words.includes(part), `${part} in ${words}`)
})

test('property: environment and command arrive whole and apart, whatever is in them', () => {
  const word = fc.string({ unit: 'binary', maxLength: 20 }).map((text) => text.replaceAll('\0', ''))
  fc.assert(
    fc.property(fc.array(word), fc.array(word, { minLength: 1 }), (env, args) => {
      const words = enterArguments({ ...PLAIN, env, args }, CONTAINER, OPTIONS)
      const at = words.indexOf('--env')
      // As the shim reads it: entries of the environment up to the first `--`, and then the command.
      const end = words.indexOf('--', at)
      assert.deepEqual(
        words.slice(at + 1, end),
        env.filter((entry) => entry.includes('=')),
      )
      assert.deepEqual(words.slice(end + 1), args)
    }),
  )
})

test('what no process can be given is refused', () => {
  const failing = (change: Partial<RuntimeProcess>) => () => enterArguments({ ...PLAIN, ...change }, CONTAINER, OPTIONS)
  assert.throws(failing({ args: ['a\0--uid'] }), /"a\\u0000--uid" holds a NUL/)
  assert.throws(failing({ env: [`A=${'x'.repeat(5 << 20)}`] }), /524\d+ bytes/)
  assert.throws(failing({ capabilities: { ambient: ['CAP_CHOWN'] } }), /ambient capabilities/)
  assert.throws(failing({ selinuxLabel: 'x' } as Partial<RuntimeProcess>), /cannot be given selinuxLabel/)
  assert.throws(failing({ capabilities: { bounding: ['CAP_NOPE'] } }), /unknown capability "CAP_NOPE"/)
})

test('numbers of the kernel are found by name', () => {
  assert.equal(capabilityMask(['CAP_SYS_ADMIN']), (1 << 21).toString(16))
  assert.equal(rlimitNumber('RLIMIT_RTTIME'), 15)
  assert.equal(filterFlags([]), 4)
  assert.equal(filterFlags(['SECCOMP_FILTER_FLAG_LOG', 'SECCOMP_FILTER_FLAG_TSYNC']), 3)
  assert.throws(() => filterFlags(['SECCOMP_FILTER_FLAG_NEW_LISTENER']), /unknown flag/)
})

test('a container is read from what crun keeps, and one whose filter is missing is not taken for unconfined', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'glovebox-state-'))
  t.after(() => rmSync(root, { recursive: true }))
  const write = (id: string, config: unknown) => {
    mkdirSync(join(root, id))
    writeFileSync(join(root, id, 'status'), JSON.stringify({ pid: 3, 'process-start-time': 4, 'cgroup-path': '/x' }))
    writeFileSync(join(root, id, 'config.json'), JSON.stringify(config))
  }
  write('free', { linux: {} })
  write('profile', { linux: { seccomp: { defaultAction: 'SCMP_ACT_ALLOW', flags: ['SECCOMP_FILTER_FLAG_LOG'] } } })
  write('compiled', { annotations: { 'run.oci.seccomp_bpf_data': 'AAAA' } })
  write('listened', { linux: { seccomp: { listenerPath: '/l' } } })
  assert.deepEqual(readRunningContainer(root, 'free'), { pid: 3, startTicks: 4, cgroup: '/x', filter: undefined })
  assert.deepEqual(readRunningContainer(root, 'profile').filter, { path: join(root, 'profile', 'seccomp.bpf'), flags: 2 })
  assert.deepEqual(readRunningContainer(root, 'compiled').filter, { path: join(root, 'compiled', 'seccomp.bpf'), flags: 4 })
  assert.throws(() => readRunningContainer(root, 'listened'), /listener/)
  assert.throws(() => readRunningContainer(root, 'nobody'), { code: 'runtime.not_running' })
})
