import { request } from 'node:http'
import { connect } from 'node:net'

import { messageOf, type Clock } from '#base'
import type { CheckPort, ProbeResult } from '#cluster/agent'
import type { ProbeSpec } from '#cluster/spec'
import type { ContainersService } from '#engine/containers'

import { runHook } from './hooks.ts'

type Containers = Pick<ContainersService, 'get' | 'exec'>
type HttpProbe = Extract<ProbeSpec, { readonly type: 'http' }>

/** Probes of the cluster's own checks, from this machine: HTTP and TCP to the task's address, commands inside its container. */
export function checkPort(containers: Containers, clock: Clock): CheckPort {
  return {
    probe: async ({ containerId, addresses }, probe, timeoutMs) => {
      const address = Object.values(addresses).find((known) => known !== '')
      if (probe.type === 'command') return await probeCommand(containers, containerId, probe.command, clock, timeoutMs)
      if (address === undefined) return { isGood: false, output: 'the task has no address' }
      return probe.type === 'tcp' ? await probeTcp(address, probe.port, timeoutMs) : await probeHttp(address, probe, timeoutMs)
    },
  }
}

async function probeCommand(
  containers: Containers,
  id: string,
  command: readonly string[],
  clock: Clock,
  timeoutMs: number,
): Promise<ProbeResult> {
  try {
    const plain = { command, environment: {}, workingDir: null, user: null, isPrivileged: false }
    await runHook(containers, id, plain, clock, timeoutMs)
    return { isGood: true, output: '' }
  } catch (error) {
    return { isGood: false, output: messageOf(error) }
  }
}

async function probeTcp(host: string, port: number, timeoutMs: number): Promise<ProbeResult> {
  return await new Promise((resolve) => {
    const socket = connect({ host, port, timeout: timeoutMs })
    const end = (result: ProbeResult) => {
      socket.destroy()
      resolve(result)
    }
    socket.once('connect', () => end({ isGood: true, output: '' }))
    socket.once('timeout', () => end({ isGood: false, output: `no answer within ${timeoutMs} ms` }))
    socket.once('error', (error) => end({ isGood: false, output: messageOf(error) }))
  })
}

/** The answer's head is enough: the body is not read. */
async function probeHttp(address: string, probe: HttpProbe, timeoutMs: number): Promise<ProbeResult> {
  const [least, most] = probe.statuses
  return await new Promise((resolve) => {
    const headers = { ...probe.headers, ...(probe.host === null ? {} : { host: probe.host }) }
    const signal = AbortSignal.timeout(timeoutMs)
    const asking = request({ host: address, port: probe.port, path: probe.path, headers, agent: false, signal }, (response) => {
      const status = response.statusCode ?? 0
      response.destroy()
      resolve({ isGood: status >= least && status <= most, output: `HTTP ${status}` })
    })
    asking.once('error', (error) =>
      resolve({ isGood: false, output: signal.aborted ? `no answer within ${timeoutMs} ms` : messageOf(error) }),
    )
    asking.end()
  })
}
