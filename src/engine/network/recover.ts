import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { messageOf } from '#base'
import type { ContainerId } from '#base'

import type { Context } from './context.ts'
import { settleRoutes } from './endpoint-links.ts'
import type { Network } from './port.ts'
import type { Sandbox } from './state.ts'

/** After a start: what still runs is taken over, everything else of this instance in the kernel is removed. */
export async function recoverNetworks(context: Context, pidOf: (containerId: ContainerId) => number | null): Promise<void> {
  const { state, firewall, log } = context
  mkdirSync(dirname(context.pinOf('x' as ContainerId)), { recursive: true, mode: 0o711 })
  for (const sandbox of state.sandboxes.values()) {
    const pid = pidOf(sandbox.containerId)
    if (pid === null) dropSandbox(context, sandbox)
    else adoptPin(context, sandbox, pid)
  }
  sweepLinks(context)
  sweepPins(context)
  const used = new Set([...state.sandboxes.values()].flatMap(({ endpoints }) => endpoints.map(({ networkId }) => networkId)))
  const outcomes = await Promise.allSettled(
    [...used]
      .flatMap((id) => state.networks.get(id) ?? [])
      .filter(({ driver }) => driver === 'bridge')
      .map((network) => restoreNetwork(context, network)),
  )
  for (const outcome of outcomes)
    if (outcome.status === 'rejected') log.error('recover a network', { error: messageOf(outcome.reason) })
  const rules = [...state.sandboxes.values()].flatMap(({ ports }) => ports)
  if (rules.length > 0) await firewall.addPorts(rules)
  if (used.size === 0) await firewall.removeAll([...state.networks.values()].map(({ bridge }) => bridge))
  for (const sandbox of state.sandboxes.values()) resume(context, sandbox)
}

/** Its links vanish with the namespace, and that with its last process. */
function dropSandbox({ state, host, pinOf }: Context, sandbox: Sandbox): void {
  for (const { hostLink } of sandbox.endpoints) if (hostLink !== '') host.links.detachContainer(hostLink)
  host.namespaces.removeNetwork(pinOf(sandbox.containerId))
  state.deleteSandbox(sandbox.containerId)
}

/** In another mount namespace than before the old pin is only an empty file. */
function adoptPin({ host, pinOf, log }: Context, { containerId }: Sandbox, pid: number): void {
  const pin = pinOf(containerId)
  if (host.namespaces.isPinned(pin)) return
  try {
    host.namespaces.removeNetwork(pin)
    host.namespaces.pinNetworkOf(pid, pin)
  } catch (error) {
    log.error('pin the network namespace of a running container', { container: containerId, error: messageOf(error) })
  }
}

function sweepLinks({ host, names, state }: Context): void {
  const links = new Set([...state.sandboxes.values()].flatMap(({ endpoints }) => endpoints.map(({ hostLink }) => hostLink)))
  const bridges = new Set([...state.networks.values()].map(({ bridge }) => bridge))
  for (const { name } of host.links.listLinks()) {
    const isStray =
      (name.startsWith(names.linkPrefix) && !links.has(name)) || (name.startsWith(names.bridgePrefix) && !bridges.has(name))
    if (isStray) host.links.deleteLink(name)
  }
}

function sweepPins({ host, state, pinOf }: Context): void {
  const directory = dirname(pinOf('x' as ContainerId))
  if (!existsSync(directory)) return
  for (const name of readdirSync(directory))
    if (!state.sandboxes.has(name as ContainerId)) host.namespaces.removeNetwork(join(directory, name))
}

/** The bridge is normally still there; if somebody deleted it, containers get their links back. */
async function restoreNetwork(context: Context, network: Network): Promise<void> {
  const { host, state, bridges } = context
  const isThere = host.links.listLinks().some(({ name }) => name === network.bridge)
  if (!isThere)
    context.log.warn('the bridge of a network in use was gone', {
      network: network.name,
      bridge: network.bridge,
      endpoints: state.endpoints(network.id).length,
    })
  await bridges.ensure(network).rules
}

function resume(context: Context, sandbox: Sandbox): void {
  try {
    context.nameService.ensure(sandbox)
    context.holders.retake(sandbox.containerId, sandbox.ports)
    restoreRoutes(context, sandbox)
  } catch (error) {
    context.log.error('resume the network of a running container', { container: sandbox.containerId, error: messageOf(error) })
  }
}

/** A network that was left right before a crash took the default route along. One that is there may be the container's own choice. */
function restoreRoutes(context: Context, { containerId }: Sandbox): void {
  const { host, pinOf } = context
  const routes = host.namespaces.inNetwork(pinOf(containerId), () => host.links.listRoutes())
  if (!routes.some(({ destination }) => destination === 'default')) settleRoutes(context, containerId, [])
}
