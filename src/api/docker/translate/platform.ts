import { isObject, type Query } from '#api/http'
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

/** The query `platform` as the image routes of today have it, `{"os":"linux","architecture":"arm64"}`, and as older ones, `linux/arm64`. null: none. */
export function platformOf(query: Query): string | null {
  const given = query.texts('platform').filter((text) => text !== '')
  if (given.length > 1) throw dockerError('docker.option_unsupported', 'more than one platform at a time is not supported')
  const text = given[0]
  if (text === undefined) return null
  if (!text.startsWith('{')) return text
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    throw dockerError('docker.field_invalid', `platform ${text.slice(0, 100)} is not JSON`, { cause: error })
  }
  const fields = isObject(parsed) ? [parsed['os'], parsed['architecture'], parsed['variant'] ?? ''] : []
  if (fields.length === 0 || !fields.every((field) => typeof field === 'string'))
    throw dockerError('docker.field_invalid', `platform ${text.slice(0, 100)} does not name os and architecture`)
  return fields.filter((field) => field !== '').join('/')
}
