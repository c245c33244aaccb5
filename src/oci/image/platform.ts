import { imageFormatError } from './errors.ts'

/** image-spec, image-index.md, "platform". Empty variant: none given. */
export interface Platform {
  readonly os: string
  readonly architecture: string
  readonly variant: string
}

const PART = /^[a-z0-9_.-]{1,32}$/

/** The names that uname and Docker's users write, and the ones that Go and so images use. */
const ARCHITECTURES: Readonly<Record<string, readonly [architecture: string, variant: string]>> = {
  x86_64: ['amd64', ''],
  'x86-64': ['amd64', ''],
  x64: ['amd64', ''],
  aarch64: ['arm64', ''],
  armhf: ['arm', 'v7'],
  armel: ['arm', 'v6'],
  i386: ['386', ''],
  i686: ['386', ''],
}

/** Reads `linux/arm64`, `linux/arm/v7`, `arm64`. Error: `platform.invalid`. */
export function parsePlatform(text: string): Platform {
  const parts = text.toLowerCase().split('/')
  const [first = '', second, third] = parts
  if (parts.length > 3 || !parts.every((part) => PART.test(part)))
    throw imageFormatError('platform.invalid', `${JSON.stringify(text.slice(0, 100))} is not a platform`, {
      hint: 'Write it as os/architecture or os/architecture/variant, such as linux/arm64.',
    })
  if (second === undefined)
    return first === 'linux' ? platform(first, hostPlatform().architecture, '') : platform('linux', first, '')
  return platform(first, second, third ?? '')
}

/** Aliases become the names of the specification; defaults that say nothing (arm64's v8) go away. */
export function platform(os: string, architecture: string, variant: string): Platform {
  const known = Object.hasOwn(ARCHITECTURES, architecture) ? ARCHITECTURES[architecture] : undefined
  const name = known?.[0] ?? architecture
  const given = variant === '' ? (known?.[1] ?? '') : variant
  const isDefault = (name === 'arm64' && given === 'v8') || (name === 'amd64' && given === 'v1')
  const assumed = name === 'arm' && given === '' ? 'v7' : given
  return { os, architecture: name, variant: isDefault ? '' : assumed }
}

export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, variant].filter((part) => part !== '').join('/')
}

/** What this machine runs. */
export function hostPlatform(nodeArchitecture: string = process.arch): Platform {
  return platform('linux', nodeArchitecture === 'ia32' ? '386' : nodeArchitecture, '')
}

/**
 * How well `offered` runs where `wanted` is asked for: 0 is exact, higher is worse, undefined cannot run. Older arm variants run on
 * newer ones, amd64 micro-architecture levels likewise.
 */
function platformDistance(wanted: Platform, offered: Platform): number | undefined {
  if (wanted.os !== offered.os || wanted.architecture !== offered.architecture) return undefined
  if (wanted.variant === offered.variant) return 0
  const distance = level(wanted) - level(offered)
  return distance > 0 ? distance : undefined
}

function level({ architecture, variant }: Platform): number {
  if (variant === '') return architecture === 'arm64' ? 8 : 1
  const match = /^v(\d{1,2})/.exec(variant)
  return match === null ? Number.NaN : Number(match[1])
}

/** The best of what is offered; the first among equals. */
export function choosePlatform<T>(wanted: Platform, offers: readonly T[], platformOf: (offer: T) => Platform): T | undefined {
  let best: { readonly offer: T; readonly distance: number } | undefined
  for (const offer of offers) {
    const distance = platformDistance(wanted, platformOf(offer))
    if (distance !== undefined && (best === undefined || distance < best.distance)) best = { offer, distance }
  }
  return best?.offer
}
