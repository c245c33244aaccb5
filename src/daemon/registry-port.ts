import type { RegistryPort } from '#api/glovebox'
import { MAX_PAGE } from '#engine/repositories'

import type { ServedRegistry } from './registry.ts'

/** The registry as our own API shows it. */
export function registryPort(registry: ServedRegistry): RegistryPort {
  const { repositories, accounts, rules } = registry
  const names = (): readonly string[] => {
    const all: string[] = []
    for (let hasMore = true; hasMore;) {
      const last = all.at(-1)
      const page = repositories.list({ limit: MAX_PAGE, ...(last === undefined ? {} : { after: last }) })
      all.push(...page.names)
      hasMore = page.hasMore
    }
    return all
  }
  return {
    status: () => ({
      address: registry.address ?? null,
      isOpen: accounts.isOpen,
      repositoryCount: names().length,
      ...repositories.usage(),
      mirrors: registry.mirrors,
      rules: rules.get(),
      lastCollection: registry.lastCollection() ?? null,
    }),
    repositories: () =>
      names().map((name) => {
        const manifests = repositories.manifests(name)
        const tagCount = manifests.reduce((sum, { tags }) => sum + tags.length, 0)
        const pushedAtMs = Math.max(0, ...manifests.map((manifest) => manifest.pushedAtMs))
        return { name, tagCount, manifestCount: manifests.length, pushedAtMs }
      }),
    content: (name) => ({ name, manifests: repositories.manifests(name) }),
    remove: async (name, reference) => await repositories.deleteManifest(name, reference),
    collect: async ({ isDryRun }) => await registry.collect(isDryRun),
    setRules: (wanted) => rules.set(wanted),
    accounts: () => [{ name: '*', grants: accounts.anybody() }, ...accounts.list()],
    putUser: async (name, password, grants) => await accounts.put(name, password, grants),
    grantAnybody: (grants) => accounts.setAnybody(grants),
    removeUser: (name) => accounts.remove(name),
  }
}
