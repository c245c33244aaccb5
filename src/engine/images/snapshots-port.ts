import type { Digest } from '#base'
import type { LayerTree } from '#oci/erofs'

/** What images ask of whoever makes layers mountable. */
export interface LayerSnapshots {
  /**
   * Makes the uncompressed tar at `tarPath` mountable; the file stays where it is and is not changed. Done already: nothing. `tree` is what
   * the tar means, if that is known already.
   */
  addLayer(diffId: Digest, tarPath: string, options?: { readonly tree?: LayerTree }): Promise<unknown>
  /** Absent is fine. Rejects with an error of the kind `conflict` while a container needs it: it is then tried again later. */
  removeLayer(diffId: Digest): Promise<unknown>
}

/** A container that was made from an image. */
export interface ImageUser {
  /** As messages show it: the container's short id or its name. */
  readonly name: string
  readonly isRunning: boolean
}
