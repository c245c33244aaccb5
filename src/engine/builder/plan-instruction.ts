import { unreachable } from '#base'
import type { ArgInstruction, Instruction, Place } from '#oci/dockerfile'
import type { ImageProcessConfig } from '#oci/image'

import { buildErrorAt } from './errors.ts'
import { healthcheckOf, portsOf, signalOf, workingDirOf } from './metadata.ts'
import { planCopy } from './plan-copy.ts'
import { planRun } from './plan-run.ts'
import { envList, envOf, expander, type Expander } from './scope.ts'
import { argsOf, type StageState } from './stage-state.ts'
import type { Step, StepAction } from './steps.ts'

interface Effect {
  readonly createdBy: string
  readonly action: StepAction
}

const METADATA: StepAction = { kind: 'metadata' }

/** The step of an instruction; the state moves on. Undefined when a base is not resolved yet. */
export function planInstruction(state: StageState, instruction: Instruction, place: Place, prefix: string): Step | undefined {
  const expand = expander(state.scope, place, state.input.dockerfile.escape, state.onUnset)
  const effect = effectOf(state, instruction, place, expand)
  return effect === undefined ? undefined : { place, number: 0, text: `${prefix}${instruction.source}`, ...effect }
}

function effectOf(state: StageState, instruction: Instruction, place: Place, expand: Expander): Effect | undefined {
  switch (instruction.kind) {
    case 'run':
      return planRun(state, instruction, place, expand)
    case 'copy':
    case 'add':
      return planCopy(state, instruction, place, expand)
    case 'workdir': {
      const path = workingDirOf(state.config.workingDir, expand.word(instruction.path))
      change(state, { workingDir: path })
      return { createdBy: `WORKDIR ${path}`, action: { kind: 'workdir', path, user: state.config.user } }
    }
    case 'arg':
      return metadata(declareArgs(state, instruction, expand))
    case 'env':
    case 'label': {
      const pairs = instruction.pairs.map(({ name, value }) => [expand.word(name), expand.word(value)] as const)
      if (pairs.some(([name]) => name === ''))
        throw buildErrorAt('build.instruction_invalid', place, `${instruction.kind.toUpperCase()}: a name expands to nothing`)
      if (instruction.kind === 'env') setEnv(state, pairs)
      else change(state, { labels: { ...state.config.labels, ...Object.fromEntries(pairs) } })
      return metadata(`${instruction.kind.toUpperCase()} ${pairs.map(([name, value]) => `${name}=${value}`).join(' ')}`)
    }
    case 'cmd':
      state.hasOwnCmd = true
      change(state, { cmd: argsOf(instruction.command, state.config) })
      return metadata(`CMD ${JSON.stringify(state.config.cmd)}`)
    case 'entrypoint':
      change(state, {
        entrypoint: argsOf(instruction.command, state.config),
        cmd: state.hasOwnCmd ? state.config.cmd : null,
      })
      return metadata(`ENTRYPOINT ${JSON.stringify(state.config.entrypoint)}`)
    case 'expose': {
      const written = instruction.ports.flatMap((port) => expand.words(port))
      const ports = portsOf(written, place)
      change(state, { exposedPorts: union(state.config.exposedPorts, ports) })
      return metadata(`EXPOSE ${written.join(' ')}`)
    }
    case 'volume': {
      const paths = instruction.paths.map((path) => expand.word(path))
      if (paths.includes('')) throw buildErrorAt('build.instruction_invalid', place, 'VOLUME: a path expands to nothing')
      change(state, { volumes: union(state.config.volumes, paths) })
      return metadata(`VOLUME ${JSON.stringify(paths)}`)
    }
    case 'user':
      change(state, { user: expand.word(instruction.user) })
      return metadata(`USER ${state.config.user}`)
    case 'stopsignal':
      change(state, { stopSignal: signalOf(expand.word(instruction.signal), place) })
      return metadata(`STOPSIGNAL ${state.config.stopSignal}`)
    case 'shell':
      change(state, { shell: instruction.args })
      return metadata(`SHELL ${JSON.stringify(instruction.args)}`)
    case 'healthcheck':
      change(state, { healthcheck: healthcheckOf(instruction) })
      return metadata(instruction.source)
    case 'onbuild':
      change(state, { onBuild: [...state.config.onBuild, instruction.trigger] })
      return metadata(instruction.source)
    case 'maintainer':
      state.author = instruction.name
      return metadata(`MAINTAINER ${instruction.name}`)
    case 'from':
      throw buildErrorAt('build.instruction_invalid', place, 'FROM cannot stand inside a stage')
    default:
      return unreachable(instruction)
  }
}

function metadata(createdBy: string): Effect {
  return { createdBy, action: METADATA }
}

function change(state: StageState, part: Partial<ImageProcessConfig>): void {
  state.config = { ...state.config, ...part }
}

function setEnv(state: StageState, pairs: readonly (readonly [string, string])[]): void {
  const env = envOf(state.config.env)
  for (const [name, value] of pairs) env.set(name, value)
  change(state, { env: envList(env) })
  state.scope = { ...state.scope, env }
}

/** A value comes from `--build-arg`, else from the default here, else from the global argument of that name. */
function declareArgs(state: StageState, instruction: ArgInstruction, expand: Expander): string {
  const args = new Map(state.scope.args)
  const shown = instruction.args.map(({ name, value }) => {
    state.declare(name)
    const given = state.input.buildArgs.get(name) ?? (value === undefined ? undefined : expand.word(value))
    const inherited = state.globals.values.get(name)
    args.delete(name)
    args.set(name, given ?? inherited)
    return value === undefined && given === undefined ? name : `${name}=${given ?? ''}`
  })
  state.scope = { ...state.scope, args }
  return `ARG ${shown.join(' ')}`
}

function union(known: readonly string[], added: readonly string[]): readonly string[] {
  const all = new Set(known)
  for (const one of added) all.add(one)
  return all.size === known.length ? known : [...all].toSorted()
}
