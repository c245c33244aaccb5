import { during } from '#base'
import type { Log } from '#base'
import { errnoOf } from '#host'
import type { Host } from '#host'

import { networkError } from './errors.ts'
import type { InstanceNames } from './names.ts'
import { isParentDriver, parentSettings } from './parent-options.ts'
import type { ParentSettings } from './parent-options.ts'
import type { Network } from './port.ts'
import type { NetworkState } from './state.ts'

/** The host's links whose wire macvlan and ipvlan networks share. */
export interface Parents {
  /**
   * Writes the network down and makes its VLAN link if it needs one. Refuses, with nothing left, one whose parent is not there or taken, or
   * whose kind of link this kernel lacks.
   */
  claim(network: Network): Network
  /** The parent is there when this returns: a VLAN link of ours does not outlive the machine. */
  ensure(network: Network): ParentSettings
  /** Deletes the VLAN link if it is ours. */
  release(network: Network): void
}

export interface ParentsNeeds {
  readonly host: Pick<Host, 'links'>
  readonly names: InstanceNames
  readonly state: NetworkState
  readonly log: Log
}

/** The daemon's own, by the path that the thread at work has. */
const OWN_NAMESPACE = '/proc/thread-self/ns/net'

export function createParents({ host, names, state, log }: ParentsNeeds): Parents {
  const isThere = (name: string) => host.links.listLinks().some((link) => link.name === name)
  const settingsOf = ({ name, driver, options }: Network): ParentSettings => {
    if (isParentDriver(driver)) return parentSettings(name, driver, options)
    throw networkError('network.invalid', `network ${name}: a ${driver} network has no parent link`)
  }
  const ensure = (network: Network): ParentSettings => {
    const settings = settingsOf(network)
    if (isThere(settings.parent)) return settings
    const { vlan } = settings
    if (vlan === undefined || !isThere(vlan.parent))
      throw networkError(
        'network.invalid',
        `network ${network.name}: this host has no link ${vlan?.parent ?? settings.parent} to be its parent`,
        { hint: '`ip link` lists those that it has.' },
      )
    host.links.createVlan({ name: settings.parent, ...vlan })
    return settings
  }
  /** The kernel says only by trying whether it has such links and the parent takes one. */
  const probe = (network: Network, settings: ParentSettings) => {
    const name = `${names.linkPrefix}probe`
    host.links.deleteLink(name)
    try {
      host.links.attachShared({
        netnsPin: OWN_NAMESPACE,
        parent: settings.parent,
        kind: network.driver === 'macvlan' ? 'macvlan' : 'ipvlan',
        mode: settings.mode,
        flag: settings.flag,
        guestName: name,
        addresses: [],
      })
    } catch (error) {
      const isUnknown = errnoOf(error) === 'EOPNOTSUPP'
      const why = isUnknown ? `this kernel has no links of kind ${network.driver}` : `its parent ${settings.parent} refuses it`
      throw networkError(isUnknown ? 'network.unsupported' : 'network.invalid', `network ${network.name}: ${why}`, {
        cause: error,
        hint: isUnknown
          ? 'Use a bridge network, or a kernel that has them.'
          : 'A link is either macvlan’s or ipvlan’s, and no bridge port.',
      })
    } finally {
      host.links.deleteLink(name)
    }
  }
  const release = (network: Network) => {
    if (network.hasOwnParent !== true) return
    const { parent } = settingsOf(network)
    const isShared = [...state.networks.values()].some((other) => other.id !== network.id && other.options['parent'] === parent)
    if (isShared) return
    log.debug('delete the VLAN link of a network', { network: network.name, link: parent })
    host.links.deleteLink(parent)
  }
  return {
    ensure,
    release,
    claim: (network) => {
      const { parent } = settingsOf(network)
      const other = [...state.networks.values()].find((one) => isParentDriver(one.driver) && one.options['parent'] === parent)
      if (other !== undefined)
        throw networkError('network.subnet_in_use', `network ${other.name} is already using parent interface ${parent}`)
      const hasOwnParent = !isThere(parent)
      const claimed = hasOwnParent ? { ...network, hasOwnParent } : network
      // Before the link: should the daemon die in between, there is a network that can be removed.
      state.saveNetwork(claimed)
      try {
        probe(claimed, ensure(claimed))
        return claimed
      } catch (error) {
        release(claimed)
        state.deleteNetwork(claimed.id)
        throw during(`create network ${network.name}`, error)
      }
    },
  }
}
