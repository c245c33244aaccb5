import type { RevisionRecord, ServiceRecord } from '#cluster/model'

import type { SecretKind, SecretMounts, StackSecrets } from './port.ts'

/** How the parts of a stack call each kind. */
const PARTS = { secret: 'secrets', config: 'configs' } as const

export function partOf(kind: SecretKind): 'secrets' | 'configs' {
  return PARTS[kind]
}

/** What a mount means: the name that its stack gives the key, or else the key itself. */
export function refOf(kind: SecretKind, key: string, stack: StackSecrets | null): string {
  return stack?.[partOf(kind)].find((part) => part.key === key)?.name ?? key
}

/** Everything that is mounted, once. */
export function refsOf(kind: SecretKind, mounts: SecretMounts, stack: StackSecrets | null): readonly string[] {
  return [...new Set(mounts[partOf(kind)].map(({ secret }) => refOf(kind, secret, stack)))]
}

/** Names of the services that mount it, by name: as they are wanted, or at either end of a rollout under way. */
export function servicesThatUse(
  kind: SecretKind,
  wanted: { readonly id: string; readonly name: string },
  services: readonly ServiceRecord[],
  revisions: readonly RevisionRecord[],
): readonly string[] {
  const uses = ({ spec, parts }: RevisionRecord) =>
    refsOf(kind, spec, parts).some((ref) => ref === wanted.name || ref === wanted.id)
  const using = new Set(revisions.filter(uses).map(({ serviceId, number }) => `${serviceId}/${number}`))
  return services
    .filter(({ state }) => state !== 'removing')
    .filter((service) => liveRevisions(service).some((number) => using.has(`${service.id}/${number}`)))
    .map(({ name }) => name)
    .toSorted()
}

const ENDED: readonly string[] = ['completed', 'rolled-back', 'aborted']

function liveRevisions({ revision, rollout }: ServiceRecord): readonly number[] {
  if (rollout === null || ENDED.includes(rollout.state)) return [revision]
  return [revision, rollout.to, ...(rollout.from === null ? [] : [rollout.from])]
}
