import { declareErrors, type GloveboxError } from '#base'

export const imageFormatError = declareErrors({
  'manifest.invalid': 'invalid',
  'manifest.too_large': 'exhausted',
  'manifest.unsupported': 'unsupported',
  'manifest.ambiguous': 'invalid',
  'image_config.invalid': 'invalid',
  'image_config.too_large': 'exhausted',
  'platform.invalid': 'invalid',
  'json.invalid': 'invalid',
})

export function invalidManifest(what: string, why: string): GloveboxError {
  return imageFormatError('manifest.invalid', `${what}: ${why}`)
}

export function invalidConfig(what: string, why: string): GloveboxError {
  return imageFormatError('image_config.invalid', `${what}: ${why}`)
}
