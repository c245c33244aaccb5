import type { ContainerSpec } from '#engine/containers'
import type { ImageProcessConfig } from '#engine/images'

const NO_CHECK = { test: ['NONE'], intervalMs: 0, timeoutMs: 0, startPeriodMs: 0, startIntervalMs: 0, retries: 0 }

/**
 * What a container was told to be, as the configuration of an image. What it only has because nobody said otherwise stays unsaid, and
 * triggers for builds on top have done their work.
 */
export function configOfContainer(spec: ContainerSpec, image: ImageProcessConfig): ImageProcessConfig {
  const { process } = spec
  const anonymous = spec.mounts.filter((mount) => mount.type === 'volume' && mount.isAnonymous).map((mount) => mount.target)
  return {
    user: process.user,
    exposedPorts: spec.exposedPorts,
    env: process.env,
    entrypoint: process.entrypoint,
    cmd: process.cmd,
    volumes: [...new Set([...image.volumes, ...anonymous])].toSorted(),
    workingDir: process.workingDir === '/' ? image.workingDir : process.workingDir,
    labels: spec.labels,
    stopSignal: image.stopSignal === '' && spec.stopSignal === 'SIGTERM' ? '' : spec.stopSignal,
    shell: process.shell,
    onBuild: [],
    healthcheck: spec.health ?? (image.healthcheck === null ? null : NO_CHECK),
  }
}
