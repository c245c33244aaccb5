import type { NodeRecord } from '#cluster/model'
import type { Versioned } from '#cluster/services'

import type { Drivers } from '../translate/drivers.ts'
import { isoTime } from './iso-time.ts'

/** As uname(1) names them, which is what clients expect here. */
const ARCHITECTURES: Readonly<Record<string, string>> = { amd64: 'x86_64', arm64: 'aarch64' }
/** Where swarm mode's managers talk to each other. */
const MANAGER_PORT = 2377

/** Node of the API description. `address`: what the swarm was told that others reach this one by. */
export function nodeJson({ record, version }: Versioned<NodeRecord>, address: string, drivers: Drivers) {
  const { description, status } = record
  return {
    ID: record.id,
    Version: { Index: version },
    CreatedAt: isoTime(record.createdAtMs),
    UpdatedAt: isoTime(record.updatedAtMs),
    Spec: { Labels: record.labels, Role: record.role, Availability: record.availability },
    Description: {
      Hostname: description.hostname,
      Platform: {
        Architecture: ARCHITECTURES[description.platform.architecture] ?? description.platform.architecture,
        OS: description.platform.os,
      },
      Resources: { NanoCPUs: description.nanoCpus, MemoryBytes: description.memoryBytes },
      Engine: { EngineVersion: description.engineVersion, Labels: description.engineLabels, Plugins: pluginsJson(drivers) },
      TLSInfo: {},
    },
    Status: { State: status.state, ...(status.message === '' ? {} : { Message: status.message }), Addr: address },
    ...(record.role === 'manager'
      ? { ManagerStatus: { Leader: true, Reachability: 'reachable', Addr: managerAddress(address) } }
      : {}),
  }
}

/** All kinds in one list. */
function pluginsJson({ Log, Network, Volume }: Drivers) {
  const each = (Type: string, names: readonly string[]) => names.map((Name) => ({ Type, Name }))
  return [...each('Log', Log), ...each('Network', Network), ...each('Volume', Volume)]
}

export function managerAddress(address: string): string {
  return address.includes(':') ? `[${address}]:${MANAGER_PORT}` : `${address}:${MANAGER_PORT}`
}
