import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'

import { cgroupSample, sampleBuffer, type ControllerDirectory } from './cgroup-sample.ts'

const MB = 1024 * 1024

function group(t: TestContext, files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'glovebox-cgroup-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  mkdirSync(directory, { recursive: true })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text)
  return directory
}

const V2 = {
  'cpu.stat': 'usage_usec 5000000\nuser_usec 4000000\nsystem_usec 1000000\nnr_periods 10\nnr_throttled 2\nthrottled_usec 300\n',
  'memory.current': `${50 * MB}\n`,
  'memory.stat': `anon ${10 * MB}\nfile ${30 * MB}\nkernel ${MB}\nshmem 4096\nfile_mapped 8192\ninactive_file ${20 * MB}\npgfault 77\npgmajfault 3\n`,
  'memory.swap.current': '0\n',
  'memory.peak': `${60 * MB}\n`,
  'memory.events': 'low 0\nhigh 0\nmax 0\noom 1\noom_kill 1\n',
  'io.stat': '8:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n8:16 rbytes=1 wbytes=0 rios=1 wios=0 dbytes=0 dios=0\n',
  'pids.current': '4\n',
  'pids.max': 'max\n',
  'cpu.pressure': 'some avg10=0.00 avg60=0.00 avg300=0.00 total=1500\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=500\n',
  'memory.pressure': 'some avg10=0.00 avg60=0.00 avg300=0.00 total=7\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=5\n',
  'io.pressure': 'some avg10=0.00 avg60=0.00 avg300=0.00 total=9\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=8\n',
}

const V1 = {
  'cpuacct.usage': '5000000000\n',
  'cpuacct.usage_user': '4000000000\n',
  'cpuacct.usage_sys': '1000000000\n',
  'cpu.stat': 'nr_periods 10\nnr_throttled 2\nthrottled_time 300000\n',
  'memory.usage_in_bytes': `${50 * MB}\n`,
  'memory.max_usage_in_bytes': `${60 * MB}\n`,
  'memory.kmem.usage_in_bytes': `${MB}\n`,
  'memory.stat': `cache 1\nrss 1\ntotal_cache ${30 * MB}\ntotal_rss ${10 * MB}\ntotal_shmem 4096\ntotal_mapped_file 8192\ntotal_swap 0\ntotal_pgfault 77\ntotal_pgmajfault 3\ntotal_inactive_file ${20 * MB}\n`,
  'memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 1\n',
  'blkio.throttle.io_service_bytes_recursive': '8:0 Read 4096\n8:0 Write 8192\n8:16 Read 1\nTotal 12289\n',
  'blkio.throttle.io_serviced_recursive': '8:0 Read 1\n8:0 Write 2\n8:16 Read 1\nTotal 4\n',
  'pids.current': '4\n',
  'pids.max': 'max\n',
  'cpu.pressure': V2['cpu.pressure'],
  'memory.pressure': V2['memory.pressure'],
  'io.pressure': V2['io.pressure'],
}

const at =
  (directory: string, isV2: boolean): ControllerDirectory =>
  () => ({ directory, isV2 })

test('both interfaces tell the same figures', (t) => {
  const buffer = sampleBuffer()
  const expected = {
    ...{ cpuNs: 5e9, cpuUserNs: 4e9, cpuSystemNs: 1e9, cpuPeriods: 10, throttledPeriods: 2, throttledNs: 300_000 },
    ...{ memoryBytes: 50 * MB, memoryAnonymousBytes: 10 * MB, memoryFileBytes: 30 * MB, memoryInactiveFileBytes: 20 * MB },
    ...{ memorySharedBytes: 4096, memoryMappedBytes: 8192, memoryKernelBytes: MB, memoryPeakBytes: 60 * MB, swapBytes: 0 },
    ...{ pageFaults: 77, majorPageFaults: 3, oomKills: 1, pids: 4, pidsLimit: undefined },
    ...{ ioReadBytes: 4097, ioWriteBytes: 8192, ioReadOperations: 2, ioWriteOperations: 2 },
    cpuPressure: { someUs: 1500, fullUs: 500 },
    memoryPressure: { someUs: 7, fullUs: 5 },
    ioPressure: { someUs: 9, fullUs: 8 },
  }
  assert.deepEqual(cgroupSample(at(group(t, V2), true), buffer, { isShort: false }), expected)
  assert.deepEqual(cgroupSample(at(group(t, V1), false), buffer, { isShort: false }), expected)
})

test('where nothing ran since, what was read before is given back', (t) => {
  for (const [files, isV2, used] of [
    [V2, true, { 'cpu.stat': V2['cpu.stat'].replace('5000000', '5000001') }],
    [V1, false, { 'cpuacct.usage': '5000000001\n' }],
  ] as const) {
    const directory = group(t, files)
    const buffer = sampleBuffer()
    const before = cgroupSample(at(directory, isV2), buffer, { isShort: true })
    writeFileSync(join(directory, 'pids.current'), '9\n')
    assert.equal(cgroupSample(at(directory, isV2), buffer, { isShort: true, before }), before)
    for (const [name, text] of Object.entries(used)) writeFileSync(join(directory, name), text)
    assert.equal(cgroupSample(at(directory, isV2), buffer, { isShort: true, before })?.pids, 9)
  }
})

test('a group that is not there, or went meanwhile, has no figures', (t) => {
  const gone = join(group(t, {}), 'gone')
  assert.equal(cgroupSample(at(gone, true), sampleBuffer(), { isShort: false }), undefined)
  assert.equal(cgroupSample(at(gone, false), sampleBuffer(), { isShort: false }), undefined)
  assert.equal(
    cgroupSample(() => undefined, sampleBuffer(), { isShort: true }),
    undefined,
  )
})
