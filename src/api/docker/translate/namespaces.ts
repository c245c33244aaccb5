import type { ContainerRecord, NamespaceSpec } from '#engine/containers'

import { dockerError } from '../errors.ts'
import type { Reader } from './read.ts'

/** Errors: `docker.field_invalid`, `docker.option_unsupported`, `docker.option_conflict`. */
export function namespaceSpec(body: Reader, hostConfig: Reader, containerOf: (ref: string) => ContainerRecord): NamespaceSpec {
  const userns = hostConfig.text('UsernsMode')
  if (userns !== '' && userns !== 'host') throw dockerError('docker.field_invalid', `invalid USER mode: ${userns}`)
  const uts = oneOf(hostConfig.text('UTSMode'), ['', 'host'], 'UTS')
  if (uts === 'host' && body.text('Hostname') !== '')
    throw dockerError('docker.option_conflict', 'conflicting options: hostname and the UTS mode')
  return {
    pid: shared(hostConfig.text('PidMode'), ['', 'host'], 'PID', containerOf),
    ipc: shared(hostConfig.text('IpcMode') || 'private', ['none', 'private', 'shareable', 'host'], 'IPC', containerOf),
    uts,
    cgroup: oneOf(hostConfig.text('CgroupnsMode') || 'private', ['private', 'host'], 'cgroup namespace'),
    ...(userns === 'host' ? { user: 'host' as const } : {}),
  }
}

function shared(mode: string, allowed: readonly string[], what: string, containerOf: (ref: string) => ContainerRecord): string {
  if (!mode.startsWith('container:')) return oneOf(mode, allowed, what)
  return `container:${containerOf(mode.slice('container:'.length)).id}`
}

function oneOf(mode: string, allowed: readonly string[], what: string): string {
  if (allowed.includes(mode)) return mode
  throw dockerError('docker.field_invalid', `invalid ${what} mode: ${mode}`)
}
