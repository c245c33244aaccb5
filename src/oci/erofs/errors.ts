import { declareErrors, type GloveboxError } from '#base'
import { textOfBytes, type ByteString } from '#oci/tar'

export const layerError = declareErrors({
  'layer.whiteout_invalid': 'invalid',
  'layer.link_target_missing': 'invalid',
  'layer.symlink_loop': 'invalid',
  'layer.parent_not_directory': 'invalid',
  'layer.limit': 'exhausted',
})

export type LayerErrorCode = keyof typeof layerError.codes

export function pathError(code: LayerErrorCode, path: ByteString, what: string): GloveboxError {
  return layerError(code, `layer entry ${JSON.stringify(textOfBytes(path).slice(0, 200))}: ${what}`)
}
