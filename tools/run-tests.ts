/** `npm test`: brings the Debian packages that the tests need, builds, and runs every kind of test. Names of kinds as arguments run only those. */
import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')
const NODE = process.execPath

/** Programs and the Debian packages that have them. The docker client is a peer that we test with, never a dependency. */
const PACKAGES: readonly (readonly [path: string, name: string])[] = [
  ['/usr/bin/crun', 'crun'],
  ['/usr/sbin/nft', 'nftables'],
  ['/usr/sbin/haproxy', 'haproxy'],
  ['/bin/ip', 'iproute2'],
  ['/usr/bin/mmdebstrap', 'mmdebstrap'],
  ['/usr/bin/gcc', 'gcc'],
  ['/usr/include/stdio.h', 'libc6-dev'],
  ['/usr/bin/docker', 'docker.io'],
  ['/usr/bin/curl', 'curl'],
  ['/usr/sbin/iptables-legacy', 'iptables'],
  ['/bin/busybox', 'busybox-static'],
  ['/usr/bin/zsh', 'zsh'],
  ['/usr/bin/fish', 'fish'],
  ['/usr/bin/docker-registry', 'docker-registry'],
  ['/usr/bin/igzip', 'isal'],
  ['/usr/bin/openssl', 'openssl'],
  ['/usr/bin/git', 'git'],
  ['/usr/bin/xz', 'xz-utils'],
  ['/bin/bzip2', 'bzip2'],
  ['/usr/bin/docker-compose', 'docker-compose'],
  ['/usr/bin/skopeo', 'skopeo'],
  ['/usr/bin/buildah', 'buildah'],
  ['/usr/bin/pebble', 'pebble'],
  ['/usr/bin/prometheus', 'prometheus'],
]

interface Kind {
  readonly name: string
  readonly args: readonly string[]
  /** What it needs beside the packages of all. */
  readonly packages?: typeof PACKAGES
  /** Left out unless it is named. */
  readonly isAsked?: boolean
}

const BROWSER: typeof PACKAGES = [['/usr/bin/chromium', 'chromium']]

/** Of one test: one that waits for ever must not keep the others from being heard of. */
const TEST_TIMEOUT_MS = 10 * 60_000
const TEST = ['--test', '--test-reporter=spec', `--test-timeout=${TEST_TIMEOUT_MS}`]
const KINDS: readonly Kind[] = [
  { name: 'check', args: ['tools/check.ts'] },
  { name: 'unit', args: [...TEST, '--test-concurrency=2', 'src/**/*.test.ts', 'tools/**/*.test.ts'] },
  { name: 'native', args: [...TEST, '--test-concurrency=1', 'test/native/**/*.test.ts'] },
  { name: 'kernel', args: [...TEST, '--test-concurrency=1', 'test/kernel/**/*.test.ts'] },
  { name: 'robustness', args: [...TEST, '--test-concurrency=1', 'test/robustness/**/*.test.ts', 'test/load/**/*.test.ts'] },
  { name: 'sim', args: [...TEST, 'test/sim/**/*.test.ts'] },
  { name: 'fuzz', args: [...TEST, 'test/fuzz/**/*.test.ts'] },
  { name: 'conformance', args: [...TEST, 'test/conformance/**/*.test.ts'] },
  { name: 'client', args: [...TEST, '--test-concurrency=1', 'test/client/**/*.test.ts'] },
  { name: 'e2e', args: [...TEST, '--test-concurrency=1', 'test/e2e/**/*.test.ts'] },
  // A browser is 110 MB of packages: only for those who ask.
  { name: 'browser', args: [...TEST, '--test-concurrency=1', 'test/browser/**/*.test.ts'], packages: BROWSER, isAsked: true },
  // An emulated machine and 60 MB of packages to boot it: only for those who ask.
  ...(process.env['GLOVEBOX_TEST_V2'] === undefined ? [] : [{ name: 'v2', args: ['tools/v2/main.ts'] }]),
]

async function main(): Promise<void> {
  const wanted = process.argv.slice(2)
  const unknown = wanted.find((name) => !KINDS.some((kind) => kind.name === name))
  if (unknown !== undefined)
    throw new Error(`no kind of test is called ${unknown}; there are ${KINDS.map((kind) => kind.name).join(', ')}`)
  const kinds = KINDS.filter(({ name, isAsked }) => (wanted.length === 0 ? isAsked !== true : wanted.includes(name)))
  await bringPackages([...PACKAGES, ...kinds.flatMap(({ packages }) => packages ?? [])])
  await mustRun('build the shim', NODE, ['tools/build-native.ts'])
  await mustRun('bundle', NODE, ['tools/build.ts'])
  const failed: string[] = []
  for (const kind of kinds) {
    process.stdout.write(`\n== ${kind.name}\n`)
    if ((await run(NODE, kind.args)) !== 0) failed.push(kind.name)
  }
  process.stdout.write(failed.length === 0 ? '\nall kinds of test passed\n' : `\nfailed: ${failed.join(', ')}\n`)
  process.exitCode = failed.length === 0 ? 0 : 1
}

async function bringPackages(packages: typeof PACKAGES): Promise<void> {
  const missing = packages.filter(([path]) => !isThere(path)).map(([, name]) => name)
  if (missing.length === 0) return
  process.stdout.write(`installing Debian packages that the tests need: ${missing.join(' ')}\n`)
  // RUNLEVEL=1: services that come with a package are not started.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  const install = ['install', '-y', '--no-install-recommends', ...missing]
  if ((await run('apt-get', install, env)) === 0) return
  await mustRun('read the package lists', 'apt-get', ['update'], env)
  await mustRun('install packages', 'apt-get', install, env)
}

function isThere(path: string): boolean {
  try {
    accessSync(path, constants.F_OK)
    return true
  } catch {
    return false
  }
}

async function mustRun(what: string, command: string, args: readonly string[], env = process.env): Promise<void> {
  const code = await run(command, args, env)
  if (code !== 0) throw new Error(`${what}: ${command} ${args.join(' ')} ended with exit code ${code}`)
}

async function run(command: string, args: readonly string[], env = process.env): Promise<number> {
  const child = spawn(command, [...args], { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'], env })
  return await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve(code ?? 1))
  })
}

await main()
