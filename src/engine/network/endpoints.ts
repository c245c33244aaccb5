import { during } from '#base'
import type { ContainerId } from '#base'

import type { AddressMemory } from './address-memory.ts'
import type { Context } from './context.ts'
import { deleteLink, makeLink, settleRoutes } from './endpoint-links.ts'
import { networkError } from './errors.ts'
import { isParentDriver } from './parent-options.ts'
import { planEndpoint } from './plan-endpoint.ts'
import type { AttachRequest, Endpoint, Network } from './port.ts'
import { movePorts } from './publish-ports.ts'

/** All but the firewall is done within one tick, so that two containers never get the same address. */
export async function attachEndpoint(context: Context, memory: AddressMemory, request: AttachRequest): Promise<Endpoint> {
  const known = context.state.get(request.network)
  if (known.driver === 'host' || known.driver === 'null')
    throw networkError(
      'network.invalid',
      `attach ${request.containerName} to ${known.name}: containers cannot join this network while they run`,
    )
  const sandbox = context.state.sandbox(request.containerId)
  if (sandbox.endpoints.some(({ networkId }) => networkId === known.id))
    throw networkError(
      'network.already_attached',
      `container ${request.containerName} is attached to network ${known.name} already`,
    )
  const { network, mtu, rules } = ensureWire(context, known)
  // Whatever happens to us, the promise must not be left without somebody who listens.
  rules.catch(() => undefined)
  const plan = planEndpoint(context, memory, network, sandbox, request)
  const { endpoint } = plan
  makeLink(context, network, mtu, sandbox, plan)
  try {
    context.state.saveSandbox({ ...sandbox, endpoints: [...sandbox.endpoints, endpoint] })
    memory.remember(request.containerId, endpoint)
    context.nameService.ensure(context.state.sandbox(request.containerId))
    await Promise.all([rules, movePorts(context, request.containerId), context.plugs.beforeUse(endpoint)])
    return endpoint
  } catch (error) {
    await detachEndpoint(context, request.containerId, endpoint)
    throw during(`attach ${request.containerName} to network ${network.name}`, error)
  }
}

function ensureWire(context: Context, network: Network): { network: Network; mtu: number | undefined; rules: Promise<void> } {
  if (!isParentDriver(network.driver)) return context.bridges.ensure(network)
  context.parents.ensure(network)
  return { network, mtu: undefined, rules: Promise.resolve() }
}

/** Takes an endpoint out of a running sandbox. Another network takes over its default routes, and published ports with them. */
export async function detachEndpoint(context: Context, containerId: ContainerId, endpoint: Endpoint): Promise<void> {
  const { state } = context
  deleteLink(context, endpoint)
  const sandbox = state.sandboxes.get(containerId)
  if (sandbox === undefined) return
  const endpoints = sandbox.endpoints.filter(({ endpointId }) => endpointId !== endpoint.endpointId)
  state.saveSandbox({ ...sandbox, endpoints })
  settleRoutes(context, containerId, sandbox.endpoints)
  await movePorts(context, containerId)
}
