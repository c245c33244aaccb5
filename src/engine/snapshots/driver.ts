import type { LayerTree } from '#oci/erofs'

import type { LayerKind } from './port.ts'

export interface LayerBuild {
  readonly tree: LayerTree
  readonly tarPath: string
  readonly contentBytes: number
  /** 64 hexadecimal digits. */
  readonly identity: string
  /** Fresh and private to this call; what is in it becomes the layer. */
  readonly directory: string
}

/** One way to keep a layer on disk and to show it as a directory. Every driver shows the same tree: that of `#oci/erofs`. */
export interface LayerDriver {
  readonly kind: LayerKind
  /** Everything it wrote is on disk when the promise resolves. */
  build(build: LayerBuild): Promise<{ readonly indexBytes: number }>
  /** Shows the layer kept in `directory` at `target`, which may not exist yet. */
  attach(directory: string, target: string): void
  detach(target: string): void
}
