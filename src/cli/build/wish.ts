import type { BuildWish } from '#api/glovebox'
import type { WishBesideSource } from '#client'

/** What is asked of the builder besides the context. */
export type ImageWish = WishBesideSource

export const PLAIN_WISH: ImageWish = {
  tags: [],
  args: {},
  labels: {},
  target: null,
  platform: null,
  platforms: [],
  usesCache: true,
  uncachedStages: [],
  cacheFrom: [],
  cacheTo: [],
  outputs: [],
  annotations: [],
  provenance: null,
  sbom: false,
  limits: {
    memoryBytes: null,
    cpuShares: null,
    cpuPeriodUs: null,
    cpuQuotaUs: null,
    memorySwapBytes: null,
    cpusetCpus: null,
    cpusetMems: null,
    pids: null,
    shmBytes: null,
    ulimits: [],
    extraHosts: [],
    cgroupParent: null,
  },
  registryAuth: {},
  pulls: false,
  network: 'default',
  entitlements: [],
  secrets: {},
  sshAgents: {},
  contexts: {},
  directories: {},
  call: 'build',
}

const NETWORKS = ['default', 'none', 'host'] as const

/** As the builder knows networks, or undefined: `bridge` is what builds have by default. */
export function networkOf(word: string): BuildWish['network'] | undefined {
  return word === 'bridge' ? 'default' : NETWORKS.find((known) => known === word)
}

const ENTITLEMENTS = ['network.host', 'security.insecure'] as const

export function entitlementOf(word: string): (typeof ENTITLEMENTS)[number] | undefined {
  return ENTITLEMENTS.find((known) => known === word)
}
