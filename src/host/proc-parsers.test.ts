import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { capabilityNames } from './capabilities.ts'
import { parseBlkio, parseIoStat, parseKeyed, parseLimit } from './cgroup-figures.ts'
import { cgroupLayout } from './cgroup-layout.ts'
import { cgroupUsage } from './cgroup-usage.ts'
import { decodeDevice, encodeDevice } from './files.ts'
import { parseMountinfo } from './mountinfo.ts'
import { parsePasswd, parseProcStat } from './proc-stat.ts'
import { parseLimits } from './rlimits.ts'

test('a process name with parentheses and spaces does not shift the fields', () => {
  const tail = 'S 1 2 3 34816 5 0 0 0 0 0 120 30 0 0 20 0 4 0 777 4096 25 0'
  const name = fc.string({ unit: fc.constantFrom('a', '(', ')', ' ', '1'), maxLength: 15 })
  fc.assert(
    fc.property(name, (commandName) => {
      assert.deepEqual(parseProcStat(`42 (${commandName}) ${tail}\n`), {
        pid: 42,
        commandName,
        state: 'S',
        parentPid: 1,
        terminal: 34_816,
        userTicks: 120,
        systemTicks: 30,
        threads: 4,
        startTicks: 777,
        virtualBytes: 4096,
      })
    }),
  )
  assert.equal(parseProcStat('garbage'), undefined)
})

test('users are found by number', () => {
  assert.equal(parsePasswd('root:x:0:0::/root:/bin/sh\n\nbad\nweb:x:33:33::/:\n').get(33), 'web')
})

test('figures of both versions of cgroups come out alike', () => {
  assert.deepEqual(parseKeyed('anon 5\nfile 7\nmax\n'), { anon: 5, file: 7 })
  assert.equal(parseLimit('9223372036854771712\n'), undefined)
  assert.equal(parseLimit('max\n'), undefined)
  assert.equal(parseLimit('67108864\n'), 67_108_864)
  const expected = [{ major: 8, minor: 1, readBytes: 10, writeBytes: 20, readOperations: 1, writeOperations: 2 }]
  assert.deepEqual(parseIoStat('8:1 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=0 dios=0\n'), expected)
  assert.deepEqual(parseBlkio('8:1 Read 10\n8:1 Write 20\nTotal 30\n', '8:1 Read 1\n8:1 Write 2\nTotal 3\n'), expected)
})

test('usage on pure v2 needs no v1 file', () => {
  const files: Readonly<Record<string, string>> = {
    'memory.current': '100\n',
    'memory.max': 'max\n',
    'memory.stat': 'anon 40\nfile 60\ninactive_file 20\n',
    'memory.events': 'oom 1\noom_kill 2\n',
    'cpu.stat': 'usage_usec 5\nuser_usec 3\nsystem_usec 2\nnr_throttled 1\nthrottled_usec 9\n',
    'pids.current': '3\n',
    'pids.max': '64\n',
    'io.stat': '',
  }
  const usage = cgroupUsage(
    (_, file) => files[file],
    () => true,
  )
  assert.deepEqual(
    [usage.memoryBytes, usage.memoryLimitBytes, usage.memoryInactiveFileBytes, usage.oomKills, usage.cpuNs, usage.throttledNs],
    [100, undefined, 20, 2, 5000, 9000],
  )
  assert.deepEqual([usage.pids, usage.pidsLimit, usage.ioReadBytes], [3, 64, 0])
})

test('the layout of cgroups follows from the mounts', () => {
  const v1 = (controllers: string) => `1 1 0:1 / /sys/fs/cgroup/${controllers} rw - cgroup cgroup rw,${controllers}`
  const v2 = (path: string) => `1 1 0:2 / ${path} rw - cgroup2 cgroup2 rw`
  const layoutOf = (...lines: readonly string[]) => cgroupLayout(parseMountinfo(lines.join('\n')), () => 'cpu memory pids\n')
  assert.equal(layoutOf(v2('/sys/fs/cgroup')).mode, 'v2')
  assert.equal(layoutOf(v1('memory'), v1('cpu,cpuacct')).mode, 'v1')
  assert.equal(layoutOf(v1('memory'), v2('/sys/fs/cgroup/unified')).mode, 'hybrid')
  assert.deepEqual(layoutOf(v1('cpu,cpuacct'), v1('cpu,cpuacct').replace('cpu,cpuacct rw', 'cpu rw')).hierarchies.length, 1)
})

test('limits, capabilities, and device numbers are read', () => {
  const line = 'Max open files            1024                 unlimited            files     \n'
  assert.deepEqual(parseLimits(`Limit                     Soft Limit           Hard Limit           Units     \n${line}`), {
    nofile: { soft: 1024, hard: Infinity },
  })
  assert.deepEqual(capabilityNames(0x3n), ['CAP_CHOWN', 'CAP_DAC_OVERRIDE'])
  fc.assert(
    fc.property(fc.nat(0xfffff), fc.nat(0xfffff), (major, minor) => {
      assert.deepEqual(decodeDevice(encodeDevice({ major, minor })), { major, minor })
    }),
  )
})
