import type { Binding } from './plan.ts'

export interface NameQuestion {
  /** Application of whoever asks; null: of none. */
  readonly stack: string | null
  /** Those that it is in, in its order. */
  readonly networks: readonly { readonly id: string; readonly name: string }[]
  /** In lower case, without the final dot. */
  readonly name: string
}

/** Who answers to the names of services. A value: built anew with each change. */
export interface ServiceIndex {
  /** Undefined: no service has this name there. Empty: one has, and nobody is ready. */
  resolve(question: NameQuestion): readonly string[] | undefined
  /** `web`, for an address of its own. */
  reverse(networkId: string, address: string): string | undefined
}

interface Entry {
  readonly stack: string | null
  readonly addresses: readonly string[]
}

/**
 * `web`, `web.shop`, `shop_web` and aliases: the service's own address, or those of its ready tasks. `tasks.` before any of them: always those of the ready
 * tasks. On a network that several applications share, a name means the asker's own service first.
 */
export function serviceIndex(bindings: readonly Binding[]): ServiceIndex {
  const byName = new Map<string, Entry[]>()
  const byAddress = new Map<string, string>()
  const add = (networkId: string, name: string, entry: Entry) => {
    const key = `${networkId} ${name.toLowerCase()}`
    byName.set(key, [...(byName.get(key) ?? []), entry])
  }
  for (const { stack, service, networkId, aliases, virtual, backends } of bindings) {
    for (const name of namesOf(stack, service, aliases)) {
      add(networkId, name, { stack, addresses: virtual.length > 0 ? virtual : backends })
      add(networkId, `tasks.${name}`, { stack, addresses: backends })
    }
    for (const address of virtual) byAddress.set(`${networkId} ${address}`, service)
  }
  const entriesOf = (networks: NameQuestion['networks'], name: string, isMeant: (entry: Entry) => boolean) => {
    for (const network of networks)
      for (const candidate of [name, ...withoutNetwork(name, network.name)]) {
        const found = (byName.get(`${network.id} ${candidate}`) ?? []).filter(isMeant)
        if (found.length > 0) return found
      }
    return undefined
  }
  return {
    resolve: ({ stack, networks, name }) => {
      const own = stack === null ? undefined : entriesOf(networks, name, (entry) => entry.stack === stack)
      const found = own ?? entriesOf(networks, name, () => true)
      return found === undefined ? undefined : [...new Set(found.flatMap(({ addresses }) => addresses))]
    },
    reverse: (networkId, address) => byAddress.get(`${networkId} ${address}`),
  }
}

/** Those that answer to a name somewhere, with `tasks.` before it or the network behind it as well. */
export function holdersOf(bindings: readonly Binding[], name: string): readonly Binding[] {
  return bindings.filter(({ stack, service, aliases, network }) => {
    const wanted = [name, ...withoutNetwork(name, network)].map((one) => one.replace(/^tasks\./, ''))
    return namesOf(stack, service, aliases).some((own) => wanted.includes(own.toLowerCase()))
  })
}

function namesOf(stack: string | null, service: string, aliases: readonly string[]): readonly string[] {
  const plain = [...new Set([service, ...aliases])]
  return stack === null ? plain : [...plain, ...plain.map((name) => `${name}.${stack}`), `${stack}_${service}`]
}

/** `web.front` means web on the network front. */
function withoutNetwork(name: string, network: string): readonly string[] {
  const suffix = `.${network.toLowerCase()}`
  return name.endsWith(suffix) ? [name.slice(0, -suffix.length)] : []
}
