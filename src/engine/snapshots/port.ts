import type { Readable } from 'node:stream'

import type { Digest } from '#base'
import type { LayerTree } from '#oci/erofs'

export type LayerKind = 'erofs' | 'directory'

/** A layer that can be mounted. */
export interface LayerSnapshot {
  readonly diffId: Digest
  readonly kind: LayerKind
  /** Written on top of the tar: 0 for directories. */
  readonly indexBytes: number
  /** Of the tar, markers included. */
  readonly entries: number
  /** Size of the uncompressed tar. */
  readonly contentBytes: number
  /** Sum of the sizes of its files. */
  readonly fileBytes: number
}

export interface ContainerSnapshot {
  readonly id: string
  /** Base first. */
  readonly layers: readonly Digest[]
  readonly isMounted: boolean
  readonly rootfs: string
}

export interface Change {
  /** Absolute, as the container sees it. */
  readonly path: string
  readonly kind: 'added' | 'modified' | 'deleted'
}

/**
 * From a list of layers to a root file system. `layers` are base first everywhere. Layers stay mounted once they have been used,
 * so that a container costs one overlay mount.
 */
export interface Snapshots {
  readonly kind: LayerKind
  /**
   * Makes the layer of this uncompressed tar usable. The tar's digest is believed, not checked: whoever decompressed it has.
   * Idempotent and atomic: after a crash the layer is there or not. `tree` saves reading the tar when it was merged as it streamed in.
   * EROFS keeps a hard link to the tar (a copy, if it lies on another file system), so its first name may go away.
   * Errors: `tar.*`, `layer.*`, `snapshot.unpack_failed`.
   */
  addLayer(diffId: Digest, tarPath: string, options?: { readonly tree?: LayerTree }): Promise<LayerSnapshot>
  hasLayer(diffId: Digest): boolean
  layer(diffId: Digest): LayerSnapshot | undefined
  list(): readonly LayerSnapshot[]
  /** Absent is fine. Errors: `snapshot.layer_in_use` while a container or a mount refers to it. */
  removeLayer(diffId: Digest): Promise<void>
  /**
   * Mounts the container's root: its own writable directory over the layers. Again after a stop or a reboot: what was written is
   * still there. Mounted already with the same layers: gives the path. `readOnly` leaves the writable directory out.
   * Errors: `snapshot.layer_not_found`, `snapshot.container_conflict`, `snapshot.too_many_layers`,
   * `snapshot.unsafe_mount_point` when /dev, /proc, /sys or /etc is not a real directory.
   * `mappingOf`: a process in the user namespace to whose mapping owners are shown and written; on disk they stay unmapped.
   */
  mountContainer(options: {
    readonly id: string
    readonly layers: readonly Digest[]
    readonly readOnly?: boolean
    readonly mappingOf?: number
    /** What is written need not outlive a power cut, and is not mounted again: nobody waits for the disk when it is unmounted. */
    readonly isVolatile?: boolean
  }): {
    readonly rootfs: string
  }
  /** Not mounted is fine. Detaches lazily when something still holds it. */
  unmountContainer(id: string): void
  /** Unmounts, and deletes what the container wrote. Absent is fine. */
  removeContainer(id: string): Promise<void>
  containers(): readonly ContainerSnapshot[]
  /** The layers without anything to write to, at an existing directory. Dispose unmounts. For passwd look-ups, COPY --from, copy-up. */
  mountReadOnly(layers: readonly Digest[], target: string, options?: { readonly mappingOf?: number }): Disposable
  /** What differs from the layers, in byte order; directories on the way to a change count as modified. */
  changes(id: string): AsyncIterable<Change>
  /**
   * The writable directory as a layer. Sockets are left out. The same tree gives the same bytes. Destroying the stream stops it.
   * Errors come through the stream: `snapshot.name_reserved`, `snapshot.changed_while_reading`.
   */
  diffTar(id: string): Readable
  /** The whole root as a tar, mounted or not. */
  exportTar(id: string): Readable
  /** Bytes on disk of what the container wrote. */
  usage(id: string): Promise<number>
  /** Adopts the mounts that outlived the daemon, unmounts leftovers, deletes half-made things. Once, before all else. */
  recover(): Promise<void>
}
