import { matchesGlob } from 'node:path'

import type { ImageRecord } from '#engine/images'

import { dockerError } from './errors.ts'
import { readFilters } from './filters.ts'
import { readTimestampNs } from './timestamps.ts'

const KNOWN = ['reference', 'dangling', 'label', 'label!', 'before', 'since', 'until']

/** The `filters` of GET /images/json. A `reference` also picks the tags that are shown. Error: `docker.filter_invalid`, and what `imageOf` throws. */
export function filterImages(
  images: readonly ImageRecord[],
  text: string,
  around: { readonly reference?: string; readonly nowNs: bigint; readonly imageOf: (ref: string) => ImageRecord },
): readonly ImageRecord[] {
  const filters = readFilters(text, KNOWN)
  const dangling = filters.flag('dangling')
  const createdMs = (name: string) => filters.values(name).map((ref) => Date.parse(around.imageOf(ref).created))
  const before = Math.min(...createdMs('before'), Number.POSITIVE_INFINITY)
  const since = Math.max(...createdMs('since'), Number.NEGATIVE_INFINITY)
  const until = readTimestampNs(filters.values('until')[0] ?? '', 'until', around.nowNs)
  const untilMs = until === null ? Number.POSITIVE_INFINITY : Number(until / 1_000_000n)
  const references = [...filters.values('reference'), ...(around.reference ? [around.reference] : [])]
  return images
    .filter((image) => dangling === null || dangling === (image.tags.length === 0))
    .filter((image) => filters.matchesLabels(image.config.labels))
    .filter((image) => {
      const ms = Date.parse(image.created) || 0
      return ms < before && ms > since && ms < untilMs
    })
    .flatMap((image) => (references.length === 0 ? [image] : shown(image, references)))
}

function shown(image: ImageRecord, references: readonly string[]): readonly ImageRecord[] {
  const isWanted = (name: string) => references.some((pattern) => isReference(name, pattern))
  const tags = image.tags.filter(isWanted)
  const repoDigests = image.repoDigests.filter(isWanted)
  return tags.length + repoDigests.length === 0 ? [] : [{ ...image, tags, repoDigests }]
}

/** `name`, `name:tag`, with the wildcards of a path pattern. */
function isReference(name: string, pattern: string): boolean {
  const mark = name.includes('@') ? name.indexOf('@') : name.lastIndexOf(':')
  if (pattern.length > 512) throw dockerError('docker.filter_invalid', "invalid filter 'reference': longer than 512 characters")
  return matchesGlob(name, pattern) || matchesGlob(name.slice(0, mark), pattern)
}
