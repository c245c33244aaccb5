import type { VolumeRecord } from '#engine/volumes'

/** What clients look for to tell anonymous volumes; `docker volume prune` spares the others. */
export const ANONYMOUS_LABEL = 'com.docker.volume.anonymous'

/** Volume of the API description. */
export function volumeJson(volume: VolumeRecord, usage: { readonly sizeBytes: number; readonly refCount: number } | null = null) {
  const labels = volume.isAnonymous ? { ...volume.labels, [ANONYMOUS_LABEL]: '' } : volume.labels
  return {
    CreatedAt: volume.createdAt,
    Driver: volume.driver,
    Labels: labels,
    Mountpoint: volume.mountpoint,
    Name: volume.name,
    Options: volume.options,
    Scope: 'local',
    ...(usage === null ? {} : { UsageData: { Size: usage.sizeBytes, RefCount: usage.refCount } }),
  }
}
