import { hash } from 'node:crypto'

import type { Heredoc, Place, RunInstruction } from '#oci/dockerfile'

import { buildErrorAt } from './errors.ts'
import { planMount } from './plan-mounts.ts'
import type { RunNetwork } from './ports.ts'
import { PROXY_NAMES, visibleArgs, type Expander } from './scope.ts'
import { argsOf, type StageState } from './stage-state.ts'
import type { PlannedMount, RunAction } from './steps.ts'

/** Commands find programs in images that say nothing about PATH. Not written into the image. */
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

export function planRun(state: StageState, instruction: RunInstruction, place: Place, expand: Expander) {
  refuseUnlessAllowed(state, instruction, place)
  if (instruction.devices.length > 0)
    throw buildErrorAt('build.unsupported', place, 'RUN --device is not supported yet', 'Remove the flag.')
  const { args, mounts } = commandOf(state, instruction)
  if (args.length === 0) throw buildErrorAt('build.instruction_invalid', place, 'RUN [] names no command')
  const planned = instruction.mounts.map((mount, index) => planMount(state, mount, index, place, expand))
  if (planned.includes(undefined)) return undefined
  const own = visibleArgs(state.scope)
  const action: RunAction = {
    kind: 'run',
    args,
    env: environment(state, own),
    hiddenEnv: proxies(state),
    workingDir: state.config.workingDir === '' ? '/' : state.config.workingDir,
    user: state.config.user,
    network: networkOf(instruction, state.input.network),
    isInsecure: instruction.security === 'insecure',
    mounts: [...mounts, ...planned.filter((mount) => mount !== undefined)],
  }
  return { createdBy: `RUN ${[...shownArgs(own), ...args].join(' ')}`, action }
}

/** What gives a step more than a container has must be allowed by whoever starts the build, not by whoever wrote the file. */
function refuseUnlessAllowed(state: StageState, { security, network }: RunInstruction, place: Place): void {
  const { entitlements } = state.input
  const needed = [
    ...(security === 'insecure' ? (['security.insecure'] as const) : []),
    ...(network === 'host' && state.input.network !== 'host' ? (['network.host'] as const) : []),
  ].find((entitlement) => !entitlements.has(entitlement))
  if (needed === undefined) return
  const flag = needed === 'network.host' ? '--network=host' : '--security=insecure'
  throw buildErrorAt('build.not_allowed', place, `RUN ${flag} is not allowed in this build`, `Allow it with --allow ${needed}.`)
}

/** Docker's form: `|2 a=1 b=2 /bin/sh -c …`. */
function shownArgs(own: ReadonlyMap<string, string>): string[] {
  if (own.size === 0) return []
  return [`|${own.size}`, ...[...own].map(([name, value]) => `${name}=${value}`)]
}

function environment(state: StageState, own: ReadonlyMap<string, string>): string[] {
  const env = new Map([...own, ...state.scope.env])
  if (!env.has('PATH')) env.set('PATH', DEFAULT_PATH)
  return [...env].map(([name, value]) => `${name}=${value}`)
}

function proxies(state: StageState): string[] {
  const { env, args } = state.scope
  const given = PROXY_NAMES.filter((name) => state.input.buildArgs.has(name) && !env.has(name) && !args.has(name))
  return given.map((name) => `${name}=${state.input.buildArgs.get(name) ?? ''}`)
}

function networkOf(instruction: RunInstruction, fallback: RunNetwork): RunNetwork {
  if (instruction.network === 'none' || instruction.network === 'host') return instruction.network
  return fallback
}

/**
 * A here-document that is the whole command is a script: of its own interpreter when it begins with `#!`, else of the stage's
 * shell. In any other place the shell reads it itself.
 */
function commandOf(state: StageState, instruction: RunInstruction): { args: readonly string[]; mounts: readonly PlannedMount[] } {
  const { command, heredocs } = instruction
  const [script] = heredocs
  if (command.form === 'exec' || script === undefined) return { args: argsOf(command, state.config), mounts: [] }
  const shell = (text: string) => argsOf({ form: 'shell', text }, state.config)
  if (/\s/.test(command.text))
    return { args: shell([command.text, ...heredocs.map(({ source }) => source)].join('\n')), mounts: [] }
  if (!script.content.startsWith('#!')) return { args: shell(script.content), mounts: [] }
  const target = scriptPath(script)
  return { args: [target], mounts: [{ kind: 'file', target, content: Buffer.from(script.content), mode: 0o755 }] }
}

/** Where scripts stand while they run; the name is free text and so not used. */
function scriptPath(script: Heredoc): string {
  return `/dev/build-script-${hash('sha256', script.content, 'hex').slice(0, 12)}`
}
