import type { DeployWish } from '#api/glovebox'
import { parseDurationMs } from '#base'

import { choice, duration, isSet, list, number, text } from '../args/flags.ts'
import type { FlagValues } from '../args/flags.ts'
import { cliError } from '../errors.ts'

/** What of a service a deploy may change. */
export const deployFlags = {
  image: text('IMAGE', 'Another image; it is fetched when it is not here'),
  env: list('NAME=VALUE', 'Set a variable; a NAME alone takes the value from here', 'e'),
  'env-rm': list('NAME', 'Take a variable away'),
  replicas: number('N', 'So many tasks'),
  strategy: choice(['rolling', 'blue-green', 'canary'], 'How new tasks take the place of the old ones'),
  order: choice(['auto', 'start-first', 'stop-first'], 'Whether a new task comes before the old one goes'),
  parallelism: number('N', 'Tasks that are replaced at the same time; 0: all'),
  delay: duration('Between two batches'),
  monitor: duration('So long a new task is watched before it counts as good'),
  'on-failure': choice(['rollback', 'pause', 'continue'], 'What happens when new tasks fail'),
  'canary-steps': text('STEPS', 'Shares of the requests and how long each is held: 10%:1m,50%:5m'),
  'promote-by-hand': isSet('A canary waits for `glovebox promote` after its last step'),
  force: isSet('New tasks though nothing changed'),
} as const

/** Errors: `cli.usage`. */
export function deployWish(flags: FlagValues<typeof deployFlags>, env: NodeJS.ProcessEnv): DeployWish {
  const { image, replicas } = flags
  const environment = Object.fromEntries([
    ...flags['env-rm'].map((name) => [name, null] as const),
    ...flags.env.map((word) => readVariable(word, env)),
  ])
  const rollout = rolloutOf(flags)
  return {
    ...(image === undefined ? {} : { image }),
    ...(replicas === undefined ? {} : { replicas: wholeOf('--replicas', replicas) }),
    ...(Object.keys(environment).length === 0 ? {} : { environment }),
    ...(Object.keys(rollout).length === 0 ? {} : { rollout }),
    ...(flags.force ? { isForced: true } : {}),
  }
}

export function readVariable(word: string, env: NodeJS.ProcessEnv): readonly [name: string, value: string] {
  const mark = word.indexOf('=')
  const name = mark === -1 ? word : word.slice(0, mark)
  const value = mark === -1 ? env[name] : word.slice(mark + 1)
  if (name === '') throw cliError('cli.usage', `--env ${JSON.stringify(word)} has no name`)
  if (value === undefined)
    throw cliError('cli.usage', `--env ${name}: there is no such variable here`, { hint: 'Say NAME=VALUE.' })
  return [name, value]
}

export function wholeOf(what: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw cliError('cli.usage', `${what}: ${value} is not a whole number from 0 on`)
}

export function rolloutOf(flags: FlagValues<typeof deployFlags>): NonNullable<DeployWish['rollout']> {
  const steps = flags['canary-steps']
  const isCanary = steps !== undefined || flags['promote-by-hand']
  if (isCanary && flags.strategy !== undefined && flags.strategy !== 'canary')
    throw cliError('cli.usage', `--canary-steps and --promote-by-hand belong to --strategy canary, not ${flags.strategy}`)
  return {
    ...(flags.strategy === undefined ? {} : { strategy: flags.strategy }),
    ...(flags.order === undefined ? {} : { order: flags.order }),
    ...(flags.parallelism === undefined ? {} : { parallelism: wholeOf('--parallelism', flags.parallelism) }),
    ...(flags.delay === undefined ? {} : { delayMs: flags.delay }),
    ...(flags.monitor === undefined ? {} : { monitorMs: flags.monitor }),
    ...(flags['on-failure'] === undefined ? {} : { failureAction: flags['on-failure'] }),
    ...(isCanary
      ? { strategy: 'canary', canary: { ...PLAIN_CANARY, ...readSteps(steps), isPromotedByHand: flags['promote-by-hand'] } }
      : {}),
  }
}

/** Of a canary that says nothing of its judgement: the figures of a Compose file's. */
const PLAIN_CANARY = {
  steps: [
    { weightPercent: 10, holdMs: 60_000 },
    { weightPercent: 50, holdMs: 60_000 },
  ],
  minRequests: 100,
  maxErrorRatio: 0.01,
  latencyPercentile: 0.95,
  maxLatencyRatio: 1.5,
}

function readSteps(steps: string | undefined): { readonly steps?: readonly { weightPercent: number; holdMs: number }[] } {
  if (steps === undefined) return {}
  return {
    steps: steps.split(',').map((step) => {
      const [, percent, hold] = /^(\d{1,3}(?:\.\d+)?)%?:(.+)$/.exec(step.trim()) ?? []
      if (percent === undefined || hold === undefined)
        throw cliError('cli.usage', `--canary-steps: ${JSON.stringify(step)} is not PERCENT:TIME`, {
          hint: 'As in 10%:1m,50%:5m.',
        })
      return { weightPercent: Number(percent), holdMs: parseDurationMs(hold, '--canary-steps') }
    }),
  }
}
