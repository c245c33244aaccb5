import type { Digest } from '#base'
import { specFromImage, type ContainerSpec } from '#engine/containers'

/** A container of no image: all defaults. */
export function emptySpec(): ContainerSpec {
  const config = {
    user: '',
    exposedPorts: [],
    env: [],
    entrypoint: null,
    cmd: null,
    volumes: [],
    workingDir: '',
    labels: {},
    stopSignal: '',
    shell: null,
    onBuild: [],
    healthcheck: null,
  }
  return specFromImage({ id: 'sha256:' as Digest, os: 'linux', config }, 'build step')
}
