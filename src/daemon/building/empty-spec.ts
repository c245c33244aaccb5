import type { Digest } from '#base'
import { specFromImage, type ContainerSpec } from '#engine/containers'
import { emptyProcessConfig } from '#oci/image'

/** A container of no image: all defaults. */
export function emptySpec(): ContainerSpec {
  return specFromImage({ id: 'sha256:' as Digest, os: 'linux', config: emptyProcessConfig() }, 'build step')
}
