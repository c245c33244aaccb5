import type { GloveboxApiPorts, StackDesired } from '#api/glovebox'
import { foreseeStackSecrets, putStackSecrets, removeStackSecrets } from '#cluster/secrets'
import { readStackSpec } from '#cluster/spec'
import { stackError } from '#cluster/stacks'

import type { GloveboxNeeds } from './glovebox-needs.ts'

/** Applications, with what they bring along for the secrets. */
export function stacksPort({
  cluster,
  records: { secrets },
}: Pick<GloveboxNeeds, 'cluster' | 'records'>): GloveboxApiPorts['stacks'] {
  const { stacks, environments } = cluster
  const preview = async ({ model, images, values }: StackDesired) => {
    const spec = readStackSpec(model)
    return await stacks.preview(spec, idsOf(images), await foreseeStackSecrets(secrets, spec, values))
  }
  return {
    put: async (_name, desired, { actor, planId }) => {
      const spec = readStackSpec(desired.model)
      await environments.refuseStack(spec.name, changing)
      // Before anything is written, the values of secrets included.
      if (planId !== undefined && (await preview(desired)).id !== planId)
        throw stackError('stack.outdated', `the stack ${spec.name} was changed meanwhile: this is not what was shown`, {
          hint: 'Ask again, and look at what would be done now.',
        })
      await putStackSecrets(secrets, spec, desired.values)
      const asked = { actor: actor.from === 'cli' ? { ...actor, from: 'compose' as const } : actor }
      return await stacks.apply(spec, idsOf(desired.images), planId === undefined ? asked : { ...asked, planId })
    },
    preview: async (name, desired) => {
      await environments.refuseStack(name, changing)
      return await preview(desired)
    },
    previewRemoval: async (name, options) => {
      await environments.refuseStack(name, removing)
      return await stacks.previewRemoval(name, options)
    },
    list: () => stacks.list(),
    get: (name) => stacks.get(name),
    watch: (name, signal) => stacks.watch(name, signal),
    remove: async (name, options) => {
      await environments.refuseStack(name, removing)
      await stacks.remove(name, options)
      await removeStackSecrets(secrets, name)
    },
  }
}

const changing = (name: string) => `Change it: \`glovebox env set ${name} --set …\`.`
const removing = (name: string) => `Remove it: \`glovebox env rm ${name}\`.`

function idsOf(images: StackDesired['images']): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(images).map(([service, { id }]) => [service, id]))
}
