import { hash } from 'node:crypto'

import { parseBytes } from '#base'
import type { Heredoc, MountFlag, Place, RunInstruction } from '#oci/dockerfile'
import { cleanPath } from '#oci/patterns'

import { buildErrorAt } from './errors.ts'
import type { RunMount, RunNetwork } from './ports.ts'
import { PROXY_NAMES, visibleArgs, type Expander } from './scope.ts'
import { argsOf, type StageState } from './stage-state.ts'
import type { RunAction } from './steps.ts'

/** Commands find programs in images that say nothing about PATH. Not written into the image. */
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

export function planRun(state: StageState, instruction: RunInstruction, place: Place, expand: Expander) {
  if (instruction.security === 'insecure')
    throw buildErrorAt('build.unsupported', place, 'RUN --security=insecure is not supported yet', 'Remove the flag.')
  if (instruction.devices.length > 0)
    throw buildErrorAt('build.unsupported', place, 'RUN --device is not supported yet', 'Remove the flag.')
  const { args, mounts } = commandOf(state, instruction)
  if (args.length === 0) throw buildErrorAt('build.instruction_invalid', place, 'RUN [] names no command')
  const own = visibleArgs(state.scope)
  const action: RunAction = {
    kind: 'run',
    args,
    env: environment(state, own),
    hiddenEnv: proxies(state),
    workingDir: state.config.workingDir === '' ? '/' : state.config.workingDir,
    user: state.config.user,
    network: networkOf(instruction, state.input.network),
    mounts: [...mounts, ...instruction.mounts.map((mount) => mountOf(mount, place, expand))],
  }
  const refused = action.mounts.find((mount) => !state.input.mountKinds.has(mount.kind))
  if (refused !== undefined) {
    const what = refused.kind === 'file' ? 'with a here-document that names its interpreter' : `--mount=type=${refused.kind}`
    throw buildErrorAt('build.unsupported', place, `RUN ${what} is not supported yet`, 'Write the step without it.')
  }
  return { createdBy: `RUN ${[...shownArgs(own), ...args].join(' ')}`, action }
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
function commandOf(state: StageState, instruction: RunInstruction): { args: readonly string[]; mounts: readonly RunMount[] } {
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

function mountOf(mount: MountFlag, place: Place, expand: Expander): RunMount {
  const read = (name: string) => {
    const value = mount.options.get(name)
    return value === undefined ? undefined : expand.word(value)
  }
  const target = read('target')
  const refuse = (what: string, hint?: string) =>
    buildErrorAt('build.instruction_invalid', place, `RUN --mount=type=${mount.type}: ${what}`, hint)
  if (mount.type !== 'tmpfs' && mount.type !== 'cache')
    throw buildErrorAt(
      'build.unsupported',
      place,
      `RUN --mount=type=${mount.type} is not supported yet`,
      'Use COPY in a stage of its own.',
    )
  if (target === undefined || !target.startsWith('/') || cleanPath(target) === '/')
    throw refuse(`the target ${JSON.stringify(target ?? '')} is not an absolute path below /`, 'Add target=/some/path.')
  if (mount.type === 'tmpfs') {
    const size = read('size')
    return {
      kind: 'tmpfs',
      target: cleanPath(target),
      sizeBytes: size === undefined ? undefined : parseBytes(size, `${place.file}:${place.line}: size`),
    }
  }
  if (mount.options.has('from') || mount.options.has('source'))
    throw buildErrorAt(
      'build.unsupported',
      place,
      'RUN --mount=type=cache with from or source is not supported yet',
      'Let the cache begin empty.',
    )
  const sharing = read('sharing') ?? 'shared'
  if (sharing !== 'shared' && sharing !== 'private' && sharing !== 'locked')
    throw refuse(`sharing ${JSON.stringify(sharing)} is not known`, 'Write shared, private or locked.')
  const number = (name: string, fallback: number, pattern: RegExp, radix: number): number => {
    const text = read(name)
    if (text !== undefined && !pattern.test(text)) throw refuse(`${name} ${JSON.stringify(text)} is not a number`)
    return text === undefined ? fallback : Number.parseInt(text, radix)
  }
  return {
    kind: 'cache',
    target: cleanPath(target),
    id: hash('sha256', read('id') ?? cleanPath(target), 'hex'),
    sharing,
    isReadOnly: isTrue(read('readonly')),
    mode: number('mode', 0o755, /^[0-7]{1,4}$/, 8),
    uid: number('uid', 0, /^\d{1,9}$/, 10),
    gid: number('gid', 0, /^\d{1,9}$/, 10),
  }
}

function isTrue(text: string | undefined): boolean {
  return text === 'true' || text === '1'
}
