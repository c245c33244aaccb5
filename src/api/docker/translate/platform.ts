import type { ImageRecord } from '#engine/images'

import { dockerError } from '../errors.ts'

const ARCHITECTURES: Readonly<Record<string, string>> = { x86_64: 'amd64', aarch64: 'arm64', armhf: 'arm', 'x86-64': 'amd64' }

/** `os[/architecture[/variant]]`, or an architecture alone; empty asks for nothing. Error: `docker.platform_unsupported` when the image is of another kind. */
export function requirePlatform(text: string, image: ImageRecord): void {
  if (text === '') return
  const parts = text.toLowerCase().split('/')
  const [os = '', architecture, variant] = parts.length === 1 && parts[0] !== 'linux' ? ['linux', parts[0]] : parts
  const wanted = architecture === undefined ? undefined : (ARCHITECTURES[architecture] ?? architecture)
  const fits =
    os === (image.os || 'linux') &&
    (wanted === undefined || wanted === image.architecture) &&
    (variant === undefined || image.variant === '' || variant === image.variant)
  if (fits) return
  const found = [image.os, image.architecture, image.variant].filter((part) => part !== '').join('/')
  throw dockerError(
    'docker.platform_unsupported',
    `image ${image.tags[0] ?? image.id} was found but does not match the specified platform: wanted ${text}, actual: ${found}`,
  )
}
