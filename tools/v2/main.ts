/**
 * `npm run test:v2`: runs tests on a pure cgroup v2 host with an older kernel: a virtual machine that sees this host's files and
 * writes nothing to them. Names of test files as arguments run only those.
 * GLOVEBOX_V2_ACCEL=kvm uses the processor itself where that works.
 */
import { globSync } from 'node:fs'
import { join } from 'node:path'

import { mustRun } from './command.ts'
import { initrd } from './initrd.ts'
import { runMachine } from './machine.ts'
import { bringKernel, bringTools } from './packages.ts'

const HOME = join(import.meta.dirname, '../..')
const MEMORY_MIB = 2048
const CPUS = 2
/** An emulated processor is 12 to 60 times slower than this one. */
const GUEST_TIMEOUT_MS = 40 * 60_000
const BUILD_TIMEOUT_MS = 60_000

/** Tests of any host that say something new on this one. */
const SHARED_TESTS = ['test/kernel/host-cgroups.test.ts']

async function main(): Promise<number> {
  const startMs = performance.now()
  const seconds = () => `${((performance.now() - startMs) / 1000).toFixed(1)} s`
  await bringTools()
  const kernel = await bringKernel(join(HOME, 'build/v2'))
  for (const tool of ['tools/build-native.ts', 'tools/build.ts'])
    await mustRun(process.execPath, [tool], { timeoutMs: BUILD_TIMEOUT_MS, cwd: HOME })
  const tests = wantedTests(process.argv.slice(2))
  process.stdout.write(
    `guest with Linux ${kernel.release}, cgroup v2 only, ${MEMORY_MIB} MiB, ${CPUS} CPUs (after ${seconds()})\n`,
  )
  let exitCode: number | undefined
  const hasEnded = await runMachine({
    kernel,
    initrd: initrd(kernel, { home: HOME, node: process.execPath, tests }),
    memoryMiB: MEMORY_MIB,
    cpus: CPUS,
    accelerator: process.env['GLOVEBOX_V2_ACCEL'] === 'kvm' ? 'kvm' : 'tcg',
    timeoutMs: GUEST_TIMEOUT_MS,
    onLine: (line) => {
      exitCode = readExit(line) ?? exitCode
      process.stdout.write(`  ${line}\n`)
    },
  })
  process.stdout.write(`${verdict(exitCode, hasEnded)} (after ${seconds()})\n`)
  return exitCode ?? 1
}

function wantedTests(words: readonly string[]): readonly string[] {
  return words.length > 0 ? words : [...SHARED_TESTS, ...globSync('test/v2/*.test.ts', { cwd: HOME }).toSorted()]
}

function readExit(line: string): number | undefined {
  const code = /^v2: exit (\d+)$/.exec(line)?.[1]
  return code === undefined ? undefined : Number(code)
}

function verdict(exitCode: number | undefined, hasEnded: boolean): string {
  if (exitCode === 0) return 'all tests passed in the guest'
  if (exitCode !== undefined) return 'tests failed in the guest'
  return hasEnded ? 'the guest ended before its tests did' : `the guest was turned off after ${GUEST_TIMEOUT_MS / 1000} s`
}

process.exitCode = await main()
