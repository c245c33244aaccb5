import { layerMerge, type LayerTree } from '#oci/erofs'
import { tarPushScanner } from '#oci/tar'

/** Reads what a layer means while its bytes go by, so that they need not be read again. */
export interface LayerTreeReader {
  /** Never throws. */
  push(chunk: Uint8Array): void
  /** Undefined when something is wrong with the layer: whoever makes it mountable looks for himself, and says what. */
  finish(): LayerTree | undefined
}

export function layerTreeReader(): LayerTreeReader {
  const merge = layerMerge()
  const scanner = tarPushScanner((entry) => merge.add(entry))
  let isSound = true
  const attempt = (work: () => void) => {
    if (!isSound) return
    try {
      work()
    } catch {
      // The digest has not been checked yet: if it is wrong, that is what is wrong.
      isSound = false
    }
  }
  return {
    push: (chunk) => attempt(() => scanner.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))),
    finish: () => {
      let tree: LayerTree | undefined
      attempt(() => {
        scanner.end()
        tree = merge.finish()
      })
      return tree
    },
  }
}
