import { messageOf } from '#base'
import type { Clock, Log } from '#base'
import type { Host } from '#host'

import type { InstanceNames } from './names.ts'
import { forgetOf, localAddresses } from './forget-connections.ts'
import { changePortsScript, tableScript } from './nft-plan.ts'
import type { BridgeRules, PortRule } from './nft-plan.ts'

/**
 * The instance's nft table. What it should hold is kept here; changes are brought to the kernel one run at a time, and whoever
 * asks while a run is under way shares the next one.
 */
export interface Firewall {
  setBridge(rules: BridgeRules): Promise<void>
  removeBridge(bridge: string): Promise<void>
  addPorts(ports: readonly PortRule[]): Promise<void>
  /** Deleting is slow (the kernel waits for all its cores), so it is gathered and done a little later. */
  removePorts(ports: readonly PortRule[]): void
  /** Lets our bridges through a FORWARD chain that another firewall closed. */
  openForward(): Promise<void>
  /** Writes the whole table anew, as after a restart. */
  rebuild(): Promise<void>
  /** Done with all that was asked for. */
  settle(): Promise<void>
  /** With every rule that lets these bridges, or any of our own, through other firewalls. */
  removeAll(bridgeNames: readonly string[]): Promise<void>
}

export interface FirewallNeeds {
  readonly host: Pick<Host, 'nftables' | 'netfilter' | 'forwarding' | 'links'>
  readonly names: InstanceNames
  readonly clock: Clock
  readonly log: Log
}

/** Containers that stop together (a stack going down) have their ports removed in one transaction. */
const REMOVE_DELAY_MS = 50

export function createFirewall({ host, names, clock, log }: FirewallNeeds): Firewall {
  const bridges = new Map<string, BridgeRules>()
  const ports = new Map<string, PortRule>()
  let added: PortRule[] = []
  let gone: PortRule[] = []
  let isWhole = false
  let running: Promise<void> = Promise.resolve()
  let next: Promise<void> | undefined

  const isNamedByUser = (bridge: string) => bridge !== '' && !bridge.startsWith(names.bridgePrefix)
  const openFor = (bridgeNames: Iterable<string>) => [`${names.bridgePrefix}*`, ...[...bridgeNames].filter(isNamedByUser)]
  const closeForward = async (links: readonly string[]) => {
    const chains = await host.forwarding.chains()
    await Promise.all(chains.map((chain) => host.forwarding.disallow(chain, links)))
  }
  const applyAll = async () => {
    await host.nftables.apply(tableScript(names, [...bridges.values()], [...ports.values()]))
    isWhole = true
  }
  const applyChanges = async () => {
    const [adding, removing] = [added, gone]
    added = []
    gone = []
    if (!isWhole) await applyAll()
    else if (adding.length > 0 || removing.length > 0) await applyPorts(adding, removing)
    forget(adding, removing)
  }
  const applyPorts = async (adding: readonly PortRule[], removing: readonly PortRule[]) => {
    try {
      await host.nftables.apply(changePortsScript(names, removing, adding))
    } catch (error) {
      // Somebody changed our table (a flushed rule set): what should be there is known, so write all of it.
      log.warn('change published ports; the whole table is written instead', { error: messageOf(error) })
      isWhole = false
      await applyAll()
    }
  }
  /** The kernel looks at the maps for the first packet of a connection only; those of the past would go on where they went. */
  const forget = (adding: readonly PortRule[], removing: readonly PortRule[]) => {
    const isUdp = adding.some(({ protocol }) => protocol === 'udp')
    for (const filter of forgetOf(adding, removing, isUdp ? localAddresses(host.links) : [])) {
      try {
        host.netfilter.forgetConnections(filter)
      } catch (error) {
        log.warn('forget connections of a port', { ...filter, error: messageOf(error) })
      }
    }
  }
  const flush = (): Promise<void> => {
    next ??= running
      .catch(() => undefined)
      .then(() => {
        running = next ?? running
        next = undefined
        return applyChanges()
      })
    return next
  }
  const flushLater = () => {
    clock.after(REMOVE_DELAY_MS, () => {
      if (gone.length > 0) flush().catch((error: unknown) => log.warn('remove published ports', { error: messageOf(error) }))
    })
  }
  const rebuild = () => {
    isWhole = false
    return flush()
  }
  return {
    setBridge: (rules) => {
      bridges.set(rules.bridge, rules)
      return rebuild()
    },
    removeBridge: async (bridge) => {
      if (!bridges.delete(bridge)) return
      await Promise.all([rebuild(), isNamedByUser(bridge) ? closeForward([bridge]) : undefined])
    },
    addPorts: async (rules) => {
      for (const rule of rules) ports.set(keyOf(rule), rule)
      added.push(...rules)
      await flush()
    },
    removePorts: (rules) => {
      // One that never reached the kernel must not be deleted there.
      const waiting = new Set(added.map(keyOf))
      const isWaiting = (rule: PortRule) => waiting.has(keyOf(rule))
      for (const rule of rules) ports.delete(keyOf(rule))
      const dropped = new Set(rules.filter(isWaiting).map(keyOf))
      added = added.filter((rule) => !dropped.has(keyOf(rule)))
      gone.push(...rules.filter((rule) => !isWaiting(rule)))
      if (gone.length > 0) flushLater()
    },
    openForward: async () => {
      const links = openFor(bridges.keys())
      const closed = (await host.forwarding.chains()).filter(({ isDrop }) => isDrop)
      await Promise.all(closed.map((chain) => host.forwarding.allow(chain, links)))
    },
    rebuild,
    settle: async () => {
      if (gone.length > 0 || added.length > 0) await flush()
      await (next ?? running).catch(() => undefined)
    },
    removeAll: async (bridgeNames) => {
      await (next ?? running).catch(() => undefined)
      bridges.clear()
      ports.clear()
      added = []
      gone = []
      isWhole = false
      await Promise.all([host.nftables.deleteTable('inet', names.table), closeForward(openFor(bridgeNames))])
    },
  }
}

function keyOf({ hostIp, protocol, hostPort }: PortRule): string {
  return `${protocol} ${hostIp} ${hostPort}`
}
