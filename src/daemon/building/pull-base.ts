import { during, GloveboxError } from '#base'
import type { Credentials } from '#engine/builder'
import type { Registries } from '#engine/registry'
import { formatPlatform, type Platform } from '#oci/image'
import { parseReference } from '#oci/reference'

/** Said of a name on the default registry, they mean: no such image, here or there. */
const NOT_THERE = new Set([
  'registry.unreachable',
  'registry.manifest_unknown',
  'registry.repository_unknown',
  'registry.pull_denied',
])

/**
 * Fetches the base image of a build, as whoever builds. A name without a registry that the default one does not have, or that cannot be
 * asked for, is left to the builder: it knows the line of the Dockerfile and says what to do.
 */
export async function pullBase(
  registries: Registries,
  reference: string,
  options: {
    readonly platform: Platform
    readonly isPullForced: boolean
    readonly signal: AbortSignal | undefined
    readonly credentials: Credentials | null
  },
): Promise<void> {
  const { platform, isPullForced, credentials, signal = new AbortController().signal } = options
  const isDefault = parseReference(reference).registry === 'docker.io'
  try {
    const pull = registries.pull({ ref: reference, platform: formatPlatform(platform), credentials, signal })
    for await (const _progress of pull);
  } catch (error) {
    if (!isPullForced && isDefault && error instanceof GloveboxError && NOT_THERE.has(error.code)) return
    throw during(`pull the base image ${reference}`, error)
  }
}
