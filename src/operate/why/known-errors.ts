import type { DiagnosisCode } from './diagnosis.ts'
import type { Ending } from './ending.ts'
import { quoted } from './words.ts'

type Started = Pick<Ending, 'image' | 'command'>

interface KnownError {
  readonly pattern: RegExp
  readonly code: DiagnosisCode
  readonly what: (found: RegExpExecArray, from: Started) => string
  readonly advice: (found: RegExpExecArray, from: Started) => string
}

/**
 * Errors reach tasks and containers as texts, of our own modules, of the OCI runtime and of the kernel. These are known; others are told as they are. They are caused
 * in a test on a real daemon, so that another wording is noticed.
 */
const KNOWN: readonly KnownError[] = [
  {
    pattern: /exec format error|cannot execute binary file/i,
    code: 'end.wrong_architecture',
    what: (_, from) => `cannot start: ${command(from)} is no program for this kind of processor`,
    advice: () =>
      'Use an image for this platform (`glovebox pull --platform`, or build it with `--platform`), or give a script its first line (#!/bin/sh).',
  },
  {
    pattern: /executable file not found in \$PATH|executable file .* not found/i,
    code: 'end.command_not_found',
    what: (_, from) => `cannot start: its command ${command(from)} is not in the image ${image(from)}`,
    advice: () =>
      'Correct the command or entrypoint, or build an image that has it; `glovebox run IMAGE ls /bin` shows what is there.',
  },
  {
    pattern: /exec: "[^"]*": no such file or directory/i,
    code: 'end.command_not_found',
    what: (_, from) =>
      `cannot start: its command ${command(from)} is not in the image ${image(from)}, or the interpreter that it names is not`,
    advice: () => 'Correct the command; for a script look at its first line: that program has to be in the image as well.',
  },
  {
    pattern: /exec: "[^"]*": permission denied|is a directory/i,
    code: 'end.not_executable',
    what: (_, from) => `cannot start: its command ${command(from)} may not be executed`,
    advice: () => 'Make the file executable in the image (`RUN chmod +x FILE`, `COPY --chmod=755`), or name a program.',
  },
  {
    pattern:
      /port (\d+) on (\S+) is in use(?: by (.+?))?$|Bind for (\S+) failed: port is already allocated \((?:[a-z]+), (.+?)\)/i,
    code: 'start.port_in_use',
    what: ([, port, , holder, at, why]) =>
      at === undefined
        ? `cannot start: port ${port ?? ''} of the host is in use${holder === undefined ? '' : ` by ${holder}`}`
        : `cannot start: port ${portOf(at)} of the host is in use (${why ?? ''})`,
    advice: () => 'Publish another port, or stop what has it (`ss -lnp` shows processes).',
  },
  {
    pattern: /bind source path does not exist: (\S+)|(?:mount|bind)\W+(\/\S+?)\W+(?:does not exist|no such file)/i,
    code: 'start.mount_source_missing',
    what: ([, one, two]) => `cannot start: ${one ?? two ?? 'what it mounts'} is not there on the host`,
    advice: ([, one, two]) => `Make it (\`mkdir -p ${one ?? two ?? 'PATH'}\`, or the file), or correct the mount.`,
  },
  {
    pattern: /no available IPv\d addresses on network (\S+?)(?::| for)/,
    code: 'start.addresses_used_up',
    what: ([, network]) => `cannot start: network ${network ?? ''} has no address left`,
    advice: ([, network]) =>
      `Remove containers from ${network ?? 'it'}, or make a network with a larger subnet (\`glovebox network create --subnet\`).`,
  },
  {
    pattern: /all predefined address pools have been fully subnetted/,
    code: 'network.pools_used_up',
    what: () => 'cannot start: there is no subnet left for its network',
    advice: () =>
      'Remove networks that nobody uses (`glovebox network prune`), or give the daemon more (`--default-address-pool`).',
  },
  {
    pattern: /\b(secret|config) (\S+?)(?:, which [^,]*)?,? not found/,
    code: 'start.secret_missing',
    what: ([, kind, name]) => `cannot start: there is no ${kind ?? 'secret'} ${name ?? ''}`,
    advice: ([, kind, name]) => `Make it: \`glovebox ${kind ?? 'secret'} create ${name ?? 'NAME'} FILE\`.`,
  },
  {
    pattern: /the external (network|volume) (\S+) does not exist/,
    code: 'start.part_missing',
    what: ([, kind, name]) =>
      `cannot start: there is no ${kind ?? 'network'} ${name ?? ''}, which is to be made by somebody else`,
    advice: ([, kind, name]) => `Make it: \`glovebox ${kind ?? 'network'} create ${name ?? 'NAME'}\`; or take "external" away.`,
  },
  {
    pattern: /No such image: (\S+)/i,
    code: 'start.image_gone',
    what: (_, from) => `cannot start: its image ${image(from)} is not here any more`,
    advice: (_, from) => `Have it here again: \`glovebox pull ${image(from)}\`, or build or load it.`,
  },
  {
    pattern: /unable to find (user|group) ([^:\s]+)/,
    code: 'start.user_unknown',
    what: ([, kind, name]) => `cannot start: there is no ${kind ?? 'user'} ${name ?? ''} in its image`,
    advice: () => 'Name one that the image has, or give its number.',
  },
  {
    pattern: /no space left on device|the disk is full/i,
    code: 'end.disk_full',
    what: () => 'cannot start: the disk is full',
    advice: () => 'Make room: `glovebox system df` shows what takes it, `glovebox system prune` removes what nothing uses.',
  },
]

export function knownError(
  text: string,
  from: Started,
): { readonly code: DiagnosisCode; readonly what: string; readonly advice: string } | undefined {
  for (const { pattern, code, what, advice } of KNOWN) {
    const found = pattern.exec(text)
    if (found !== null) return { code, what: what(found, from), advice: advice(found, from) }
  }
  return undefined
}

function command({ command: words }: Started): string {
  return quoted(words.split(' ')[0] ?? '')
}

function image({ image: name }: Started): string {
  return name
}

function portOf(at: string): string {
  return at.slice(at.lastIndexOf(':') + 1)
}
