import type { Clock } from '#base'
import type { BuildSource } from '#client/context'
import type { BuildSpec } from '#cluster/spec'

import { cliError } from '../errors.ts'
import { readAttestations } from './attestations.ts'
import { readContexts } from './contexts.ts'
import { readCacheFrom, readCacheTo } from './caches.ts'
import { readSecrets, sshAgents, type Surroundings } from './secrets.ts'
import { entitlementOf, networkOf, PLAIN_WISH, type ImageWish } from './wish.ts'

/** What Compose lets one ask for and the builder cannot do yet, in the words of the file. */
function unsupported(spec: BuildSpec): string | undefined {
  const asked: readonly (readonly [string, boolean])[] = [
    [`the network ${JSON.stringify(spec.network)}`, networkOf(spec.network ?? 'default') === undefined],
  ]
  return asked.find(([, isAsked]) => isAsked)?.[0]
}

/** Refuses, by name and before anything is done, what the builder cannot do. Error: `cli.unsupported`. */
export function checkBuildSpec(service: string, spec: BuildSpec): void {
  const refused = unsupported(spec)
  if (refused !== undefined) throw cliError('cli.unsupported', `service ${service}: build: ${refused} is not supported yet`)
  const unknown = spec.entitlements.find((word) => entitlementOf(word) === undefined)
  if (unknown !== undefined)
    throw cliError('cli.unsupported', `service ${service}: build: the entitlement ${JSON.stringify(unknown)} is not known`, {
      hint: 'There are network.host and security.insecure.',
    })
}

export interface ServiceOrder {
  readonly spec: BuildSpec
  /** The service's own image name. */
  readonly reference: string
  readonly usesCache: boolean
  readonly pulls: boolean
  readonly clock: Pick<Clock, 'nowMs'>
}

/** The builder's options for a service. Reads its secrets. Errors: `cli.not_found`, `cli.failed`. */
export function serviceWish({ spec, reference, usesCache, pulls, clock }: ServiceOrder, surroundings: Surroundings): ImageWish {
  const secrets = spec.secrets.map(({ id, file, variable }) => ({
    id,
    ...(file === null ? {} : { file }),
    ...(variable === null ? {} : { variable }),
  }))
  return {
    ...PLAIN_WISH,
    tags: [reference, ...spec.tags],
    args: spec.args,
    labels: spec.labels,
    target: spec.target,
    platforms: spec.platforms,
    ...readContexts(spec.additionalContexts, { cwd: surroundings.cwd, clock }),
    cacheFrom: spec.cacheFrom.map((word) => readCacheFrom(word, surroundings.cwd)),
    cacheTo: spec.cacheTo.map((word) => readCacheTo(word, surroundings.cwd)),
    ...readAttestations({ attest: [], provenance: spec.provenance ?? undefined, sbom: spec.sbom ?? undefined }),
    limits: { ...PLAIN_WISH.limits, shmBytes: spec.shmBytes, ulimits: spec.ulimits, extraHosts: spec.extraHosts },
    usesCache: usesCache && !spec.isCacheOff,
    pulls: pulls || spec.pulls,
    network: networkOf(spec.network ?? 'default') ?? 'default',
    entitlements: [...new Set(spec.entitlements)].flatMap((word) => entitlementOf(word) ?? []),
    secrets: readSecrets(secrets, surroundings),
    sshAgents: sshAgents(spec.ssh, surroundings),
  }
}

/** What a service's image is made from. Errors: `client.bad_context`. */
export async function serviceSource(spec: BuildSpec, clock: Clock): Promise<BuildSource> {
  const [{ directorySource, remoteSource }, { resolve }] = await Promise.all([import('#client/context'), import('node:path')])
  const isRemote = !spec.context.startsWith('/')
  const dockerfile =
    spec.dockerfileText === null
      ? { path: isRemote ? spec.dockerfile : resolve(spec.context, spec.dockerfile) }
      : { text: spec.dockerfileText, shown: 'dockerfile_inline' }
  if (isRemote) return remoteSource(spec.context, dockerfile)
  return await directorySource(spec.context, dockerfile, clock)
}
