import type { HealthcheckInstruction, Place } from '#oci/dockerfile'
import type { ImageHealthcheck } from '#oci/image'
import { cleanPath } from '#oci/patterns'

import { buildErrorAt } from './errors.ts'
import { MAX_PORTS } from './limits.ts'

/** WORKDIR: relative to the one before. Always absolute. */
export function workingDirOf(current: string, path: string): string {
  return cleanPath(path.startsWith('/') ? path : `/${current}/${path}`)
}

const PORT = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i

/** `80`, `53/udp` and `8000-8010` as single ports with protocol. */
export function portsOf(texts: readonly string[], place: Place): string[] {
  const ports = texts.flatMap((text) => {
    const [, first, last = first, protocol = 'tcp'] = PORT.exec(text) ?? []
    const [from, to] = [Number(first), Number(last)]
    if (first === undefined || from < 1 || to > 65_535 || from > to)
      throw buildErrorAt(
        'build.instruction_invalid',
        place,
        `EXPOSE: ${JSON.stringify(text)} is not a port`,
        'Write 80, 53/udp or 8000-8010.',
      )
    return Array.from({ length: to - from + 1 }, (_, offset) => `${from + offset}/${protocol.toLowerCase()}`)
  })
  if (ports.length > MAX_PORTS) throw buildErrorAt('build.instruction_invalid', place, `EXPOSE names ${ports.length} ports`)
  return ports
}

export function signalOf(text: string, place: Place): string {
  if (/^(SIG)?[A-Z][A-Z0-9]*([+-]\d{1,2})?$/.test(text) || /^([1-9]|[1-5]\d|6[0-4])$/.test(text)) return text
  const hint = 'Write a name such as SIGTERM or a number from 1 to 64.'
  throw buildErrorAt('build.instruction_invalid', place, `STOPSIGNAL: ${JSON.stringify(text)} is not a signal`, hint)
}

export function healthcheckOf(instruction: HealthcheckInstruction): ImageHealthcheck {
  const { probe } = instruction
  const timing = {
    intervalMs: probe?.intervalMs ?? 0,
    timeoutMs: probe?.timeoutMs ?? 0,
    startPeriodMs: probe?.startPeriodMs ?? 0,
    startIntervalMs: probe?.startIntervalMs ?? 0,
    retries: probe?.retries ?? 0,
  }
  if (probe === undefined) return { test: ['NONE'], ...timing }
  const { command } = probe
  return { test: command.form === 'shell' ? ['CMD-SHELL', command.text] : ['CMD', ...command.args], ...timing }
}
