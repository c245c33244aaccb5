import type { BuildSpec } from '#cluster/spec'

import { cliError } from '../errors.ts'

const SERVICE = 'service:'

/** Pure: the services whose images a build takes (`additional_contexts: { base: service:NAME }`). */
export function servicesWithin({ additionalContexts }: BuildSpec): readonly string[] {
  return Object.values(additionalContexts).flatMap((place) => (place.startsWith(SERVICE) ? [place.slice(SERVICE.length)] : []))
}

/**
 * Pure: the same build with the images of services in their places. `images`: by service. Errors: `cli.not_found` for a service that there is
 * not, `cli.usage` for builds that wait for each other.
 */
export function withServiceImages(
  service: string,
  specs: Readonly<Record<string, BuildSpec>>,
  images: Readonly<Record<string, string>>,
): BuildSpec | undefined {
  const spec = Object.hasOwn(specs, service) ? specs[service] : undefined
  if (spec === undefined) return undefined
  refuseCircle([service], specs)
  const image = (place: string) => {
    if (!place.startsWith(SERVICE)) return place
    const name = place.slice(SERVICE.length)
    if (Object.hasOwn(images, name)) return `docker-image://${images[name]}`
    throw cliError(
      'cli.not_found',
      `service ${service}: build: "additional_contexts" names the service ${name}, which is not here`,
      {
        hint: 'With --service name that one as well; its profile may have to be chosen.',
      },
    )
  }
  const places = Object.entries(spec.additionalContexts).map(([name, place]) => [name, image(place)] as const)
  return { ...spec, additionalContexts: Object.fromEntries(places) }
}

function refuseCircle(way: readonly string[], specs: Readonly<Record<string, BuildSpec>>, seen = new Set<string>()): void {
  const last = way.at(-1) ?? ''
  const spec = Object.hasOwn(specs, last) ? specs[last] : undefined
  for (const next of new Set(spec === undefined ? [] : servicesWithin(spec))) {
    if (next === way[0]) throw cliError('cli.usage', `the builds of services wait for each other: ${[...way, next].join(' -> ')}`)
    // Another circle on the way is told by a service that is part of it.
    if (!seen.has(next)) refuseCircle([...way, next], specs, seen.add(next))
  }
}
