import { posix } from 'node:path'

import { expandWord, parseDockerfile, type CommandLine, type HealthcheckInstruction, type Instruction } from '#oci/dockerfile'
import type { ImageProcessConfig } from '#oci/image'

import { imageError } from './errors.ts'

const FILE = '--change'
const DEFAULT_SHELL = ['/bin/sh', '-c']
/** `EXPOSE 1-65535` is legal; more would be a mistake. */
const MAX_PORT = 65_535

/**
 * Applies Dockerfile lines (CMD, ENV, ...) to a configuration, as `import --change` and `commit --change` do.
 * Errors: `dockerfile.*`, `image.change_unsupported`.
 */
export function applyChanges(config: ImageProcessConfig, lines: readonly string[]): ImageProcessConfig {
  if (lines.length === 0) return config
  const { instructions } = parseDockerfile(lines.join('\n'), { file: FILE })
  let changed = config
  let hasCmd = false
  for (const instruction of instructions) {
    changed = applyOne(changed, instruction, hasCmd)
    hasCmd ||= instruction.kind === 'cmd'
  }
  return changed
}

function applyOne(config: ImageProcessConfig, instruction: Instruction, hasCmd: boolean): ImageProcessConfig {
  const expand = (text: string) =>
    expandWord(text, {
      place: { file: FILE, line: instruction.lines.first },
      escape: '\\',
      lookup: (name) => config.env.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1),
    })
  switch (instruction.kind) {
    case 'cmd':
      return { ...config, cmd: commandWords(config, instruction.command) }
    case 'entrypoint':
      // A command that was meant for the old entrypoint makes no sense to the new one.
      return { ...config, entrypoint: commandWords(config, instruction.command), cmd: hasCmd ? config.cmd : null }
    case 'env': {
      const pairs = instruction.pairs.map(({ name, value }) => [expand(name), expand(value)] as const)
      const kept = config.env.filter((entry) => !pairs.some(([name]) => entry.startsWith(`${name}=`)))
      return { ...config, env: [...kept, ...pairs.map(([name, value]) => `${name}=${value}`)] }
    }
    case 'label': {
      const pairs = instruction.pairs.map(({ name, value }) => [expand(name), expand(value)] as const)
      return { ...config, labels: { ...config.labels, ...Object.fromEntries(pairs) } }
    }
    case 'expose':
      return {
        ...config,
        exposedPorts: union(
          config.exposedPorts,
          instruction.ports.flatMap((port) => portNames(expand(port))),
        ),
      }
    case 'volume':
      return { ...config, volumes: union(config.volumes, instruction.paths.map(expand)) }
    case 'user':
      return { ...config, user: expand(instruction.user) }
    case 'workdir':
      return { ...config, workingDir: posix.resolve('/', config.workingDir, expand(instruction.path)) }
    case 'stopsignal':
      return { ...config, stopSignal: expand(instruction.signal) }
    case 'shell':
      return { ...config, shell: instruction.args }
    case 'onbuild':
      return { ...config, onBuild: [...config.onBuild, instruction.trigger] }
    case 'healthcheck':
      return { ...config, healthcheck: healthcheck(instruction) }
    case 'add':
    case 'arg':
    case 'copy':
    case 'from':
    case 'maintainer':
    case 'run':
      throw imageError('image.change_unsupported', `${instruction.kind.toUpperCase()} is not a valid change command`, {
        hint: 'A change may be CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ONBUILD, SHELL, STOPSIGNAL, USER, VOLUME or WORKDIR.',
      })
  }
}

function commandWords(config: ImageProcessConfig, command: CommandLine): readonly string[] {
  return command.form === 'exec' ? command.args : [...(config.shell ?? DEFAULT_SHELL), command.text]
}

function healthcheck({ probe }: HealthcheckInstruction): ImageProcessConfig['healthcheck'] {
  const nothing = { intervalMs: 0, timeoutMs: 0, startPeriodMs: 0, startIntervalMs: 0, retries: 0 }
  if (probe === undefined) return { test: ['NONE'], ...nothing }
  const { command } = probe
  return {
    test: command.form === 'exec' ? ['CMD', ...command.args] : ['CMD-SHELL', command.text],
    intervalMs: probe.intervalMs ?? 0,
    timeoutMs: probe.timeoutMs ?? 0,
    startPeriodMs: probe.startPeriodMs ?? 0,
    startIntervalMs: probe.startIntervalMs ?? 0,
    retries: probe.retries ?? 0,
  }
}

/** `80`, `80/udp`, `8000-8003/tcp`. */
function portNames(text: string): readonly string[] {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(text)
  const first = Number(match?.[1])
  const last = Number(match?.[2] ?? match?.[1])
  if (match === null || first < 1 || last > MAX_PORT || first > last)
    throw imageError('image.change_unsupported', `EXPOSE ${text.slice(0, 100)}: this is no port`, {
      hint: 'Write 80, 80/udp or 8000-8010.',
    })
  const protocol = (match[3] ?? 'tcp').toLowerCase()
  return Array.from({ length: last - first + 1 }, (_, index) => `${first + index}/${protocol}`)
}

function union(before: readonly string[], added: readonly string[]): readonly string[] {
  return [...new Set([...before, ...added])].toSorted()
}
