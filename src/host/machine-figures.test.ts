import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { parseDisks, parseLoad, parseMachineTimes, parseMemory, parsePressure } from './machine-figures.ts'

test('figures of the machine are read out of the files of the kernel', () => {
  const times = parseMachineTimes(
    'cpu  100 0 50 1000 20 0 5 1 0 0\ncpu0 1 2\nctxt 77\nprocesses 9\nprocs_running 3\nprocs_blocked 1\n',
  )
  assert.deepEqual(times.cpuSeconds, { user: 1, nice: 0, system: 0.5, idle: 10, iowait: 0.2, irq: 0, softirq: 0.05, steal: 0.01 })
  assert.deepEqual([times.contextSwitches, times.forks, times.runningProcesses, times.blockedProcesses], [77, 9, 3, 1])
  assert.deepEqual(parseLoad('0.50 1.25 2.00 1/99 1234\n'), [0.5, 1.25, 2])
  assert.equal(parseMemory('MemTotal:       1024 kB\nHugePages_Total:  3\n').get('MemTotal'), 1024 * 1024)
  assert.equal(parseMemory('HugePages_Total:  3\n').size, 0)
  const disks = parseDisks(
    ' 254 0 vda 10 0 8 1500 20 0 16 2500 0 3000 4000 0 0 0 0\n 254 1 vda1 1 0 1 1 1 1 1 1 1 1 1\n 7 0 loop0 1 1 1 1 1 1 1 1 1 1 1\n',
    (name) => name === 'vda',
  )
  assert.deepEqual(disks, [
    {
      name: 'vda',
      reads: 10,
      writes: 20,
      readBytes: 4096,
      writeBytes: 8192,
      readSeconds: 1.5,
      writeSeconds: 2.5,
      busySeconds: 3,
    },
  ])
  const pressure = 'some avg10=0.00 avg60=0.10 avg300=0.00 total=123\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=45\n'
  assert.deepEqual(parsePressure(pressure), { someUs: 123, fullUs: 45 })
  assert.deepEqual(parsePressure('some avg10=0.00 avg60=0.10 avg300=0.00 total=123\n'), { someUs: 123, fullUs: undefined })
  assert.equal(parsePressure(undefined), undefined)
})

test('any other text gives figures or none, and never fails', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      parseMachineTimes(text)
      parseLoad(text)
      parseMemory(text)
      parseDisks(text, () => true)
      parsePressure(text)
    }),
  )
})
