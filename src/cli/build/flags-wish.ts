import type { BuildWish } from '#api/glovebox'

import type { CliContext } from '../command.ts'
import { cliError } from '../errors.ts'
import { pairs } from '../run/pairs.ts'
import { readAttestations } from './attestations.ts'
import { readContexts } from './contexts.ts'
import { readCacheFrom, readCacheTo } from './caches.ts'
import type { BuildFlags } from './flags.ts'
import { readAnnotation, readExtraHost, readSwap, readUlimit } from './limits.ts'
import { readOutputFlag, type OutputChoice } from './outputs.ts'
import { readSecrets, secretChoice, sshAgents } from './secrets.ts'
import { entitlementOf, networkOf, PLAIN_WISH, type ImageWish } from './wish.ts'

/** Where the results go; `--push` and `--load` are outputs as well. Errors: `cli.usage`, `cli.unsupported`. */
export function outputsOf(flags: BuildFlags): readonly OutputChoice[] {
  const image = (push: 'no' | 'tags'): OutputChoice => ({
    output: { type: 'image', push, compression: 'gzip', level: null },
    dest: null,
    names: [],
  })
  const outputs = flags.output.map(readOutputFlag)
  const isImage = outputs.some(({ output }) => output.type === 'image')
  if (flags.push) {
    if (isImage)
      throw cliError('cli.usage', 'build: --push and an output of type image exclude each other', {
        hint: 'Write push=true there.',
      })
    return [...outputs, image('tags')]
  }
  return flags.load && !isImage && outputs.length > 0 ? [...outputs, image('no')] : outputs
}

/** The builder's options. Errors: `cli.usage`, `cli.unsupported`, `cli.not_found`. */
export function wishOfFlags(flags: BuildFlags, outputs: readonly OutputChoice[], context: CliContext): ImageWish {
  const network = networkOf(flags.network ?? 'default')
  if (network === undefined)
    throw cliError('cli.unsupported', `build: --network ${JSON.stringify(flags.network)} is not supported`, {
      hint: 'Use default, none or host.',
    })
  const tags = [...new Set([...flags.tag, ...outputs.flatMap(({ names }) => names)])]
  const pushes = outputs.some(({ output }) => output.type === 'image' && output.push !== 'no')
  if (pushes && tags.length === 0)
    throw cliError('cli.usage', 'build: what is pushed needs a name', { hint: 'Name it with --tag.' })
  return {
    ...PLAIN_WISH,
    tags,
    args: givenArgs(flags['build-arg'], context.env),
    labels: pairs(flags.label),
    target: flags.target ?? null,
    platforms: flags.platform.flatMap((word) => word.split(',')),
    ...readContexts(pairs(flags['build-context']), context),
    usesCache: !flags['no-cache'],
    uncachedStages: flags['no-cache-filter'].flatMap((word) => word.split(',')),
    cacheFrom: flags['cache-from'].map((word) => readCacheFrom(word, context.cwd)),
    cacheTo: flags['cache-to'].map((word) => readCacheTo(word, context.cwd)),
    outputs: outputs.map(({ output }) => output),
    annotations: flags.annotation.flatMap(readAnnotation),
    ...readAttestations(flags),
    limits: limitsOf(flags),
    pulls: flags.pull,
    network,
    entitlements: flags.allow.map(entitlement),
    secrets: readSecrets(flags.secret.map(secretChoice), context),
    sshAgents: sshAgents(flags.ssh, context),
    call: callOf(flags),
  }
}

function limitsOf(flags: BuildFlags): BuildWish['limits'] {
  return {
    memoryBytes: flags.memory ?? null,
    cpuShares: flags['cpu-shares'] ?? null,
    cpuPeriodUs: flags['cpu-period'] ?? null,
    cpuQuotaUs: flags['cpu-quota'] ?? null,
    memorySwapBytes: flags['memory-swap'] === undefined ? null : readSwap(flags['memory-swap']),
    cpusetCpus: flags['cpuset-cpus'] ?? null,
    cpusetMems: flags['cpuset-mems'] ?? null,
    pids: null,
    shmBytes: flags['shm-size'] ?? null,
    ulimits: flags.ulimit.map(readUlimit),
    extraHosts: flags['add-host'].map(readExtraHost),
    cgroupParent: flags['cgroup-parent'] ?? null,
  }
}

function callOf(flags: BuildFlags): BuildWish['call'] {
  if (flags.check && flags.call !== undefined && flags.call !== 'check')
    throw cliError('cli.usage', `build: --check and --call=${flags.call} exclude each other`)
  return flags.check ? 'check' : (flags.call ?? 'build')
}

function entitlement(word: string): BuildWish['entitlements'][number] {
  const known = entitlementOf(word)
  if (known !== undefined) return known
  throw cliError('cli.unsupported', `build: --allow ${JSON.stringify(word)} is not supported`, {
    hint: 'There are network.host and security.insecure.',
  })
}

/** A name alone takes its value from here, and is left out when there is none. */
function givenArgs(words: readonly string[], env: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
  return pairs(
    words.flatMap((word) => {
      if (word.includes('=')) return [word]
      const value = env[word]
      return value === undefined ? [] : [`${word}=${value}`]
    }),
  )
}
