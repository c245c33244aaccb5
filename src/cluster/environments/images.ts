import { tieRestarts, type StackSpec } from '#cluster/spec'
import type { Stacks } from '#cluster/stacks'

/** The image that each service of a stack runs on now, by id, as far as it is known: a copy must not get what a tag means since then. */
export function pinnedImages(stacks: Pick<Stacks, 'wantedImages'>, spec: StackSpec): Readonly<Record<string, string>> {
  const wanted = stacks.wantedImages().filter(({ stack }) => stack === spec.name)
  if (wanted.length !== spec.services.length) return {}
  return Object.fromEntries(
    spec.services.flatMap(({ name, task }, index) => {
      const image = wanted[index]?.image ?? task.image
      return image === task.image ? [] : [[name, image]]
    }),
  )
}

/** Of the services that run the image of before. */
export function keptImages(
  images: Readonly<Record<string, string>>,
  before: StackSpec,
  after: StackSpec,
): Readonly<Record<string, string>> {
  const same = after.services.filter(
    ({ name, task }) => before.services.find((service) => service.name === name)?.task.image === task.image,
  )
  return Object.fromEntries(Object.entries(images).filter(([name]) => same.some((service) => service.name === name)))
}

/** Who begins anew with others is tied to what those are made from now. */
export function retied(spec: StackSpec, images: Readonly<Record<string, string>>): StackSpec {
  const restarts = spec.services.map(({ name, task }) => [name, Object.keys(task.restartsWith ?? {})] as const)
  return tieRestarts(spec, Object.fromEntries(restarts), images)
}
