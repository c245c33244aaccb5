import { shortId } from '#base'
import type { DockerHistoryEntry, DockerImageSummary } from '#client'

import { printable } from '../output/colour.ts'
import { decimalSize, goTime, humanDuration, rfc3339 } from '../output/human.ts'
import { truncate } from '../output/table.ts'
import type { Row } from './listing.ts'

export const IMAGE_HEADINGS: Readonly<Record<string, string>> = {
  Repository: 'REPOSITORY',
  Tag: 'TAG',
  Digest: 'DIGEST',
  ID: 'IMAGE ID',
  CreatedSince: 'CREATED',
  CreatedAt: 'CREATED AT',
  Size: 'SIZE',
  SharedSize: 'SHARED SIZE',
  UniqueSize: 'UNIQUE SIZE',
  VirtualSize: 'SIZE',
  Containers: 'CONTAINERS',
}

export interface ImageView {
  readonly nowMs: number
  readonly isWhole: boolean
}

/** A row for each name; one for an image without any. */
export function imageRows(image: DockerImageSummary, view: ImageView): readonly Row[] {
  const tags = (image.RepoTags ?? []).filter((name) => name !== '<none>:<none>').map(splitTag)
  const digests = (image.RepoDigests ?? []).filter((name) => !name.startsWith('<none>')).map(splitDigest)
  const row = (repository: string, tag: string, digest: string) => imageRow(image, { repository, tag, digest }, view)
  if (tags.length === 0 && digests.length === 0) return [row('<none>', '<none>', '<none>')]
  const named = tags.map(([repository, tag]) => {
    const digest = digests.find(([name]) => name === repository)?.[1]
    return row(repository, tag, digest ?? '<none>')
  })
  // What was pulled by its digest alone has no tag to stand under.
  const bare = digests
    .filter(([name]) => !tags.some(([repository]) => repository === name))
    .map(([name, digest]) => row(name, '<none>', digest))
  return [...named, ...bare]
}

function splitTag(name: string): readonly [string, string] {
  const colon = name.lastIndexOf(':')
  return [printable(name.slice(0, colon)), printable(name.slice(colon + 1))]
}

function splitDigest(name: string): readonly [string, string] {
  const [repository = '', digest = ''] = name.split('@')
  return [printable(repository), printable(digest)]
}

interface ImageName {
  readonly repository: string
  readonly tag: string
  readonly digest: string
}

function imageRow(image: DockerImageSummary, name: ImageName, { nowMs, isWhole }: ImageView): Row {
  const shared = image.SharedSize ?? -1
  const isKnown = shared >= 0
  return {
    Repository: name.repository,
    Tag: name.tag,
    Digest: name.digest,
    ID: isWhole ? image.Id : shortId(image.Id),
    CreatedSince: image.Created <= 0 ? 'N/A' : `${humanDuration(nowMs - image.Created * 1000)} ago`,
    CreatedAt: goTime(image.Created * 1000),
    Size: decimalSize(image.Size),
    SharedSize: isKnown ? decimalSize(shared) : 'N/A',
    UniqueSize: isKnown ? decimalSize(image.Size - shared) : 'N/A',
    VirtualSize: decimalSize(image.Size),
    Containers: image.Containers < 0 ? 'N/A' : String(image.Containers),
  }
}

export const HISTORY_HEADINGS: Readonly<Record<string, string>> = {
  ID: 'IMAGE',
  CreatedSince: 'CREATED',
  CreatedAt: 'CREATED AT',
  CreatedBy: 'CREATED BY',
  Size: 'SIZE',
  Comment: 'COMMENT',
}

const MAX_CREATED_BY = 45

export function historyRow(
  entry: DockerHistoryEntry,
  view: { readonly nowMs: number; readonly isWhole: boolean; readonly isHuman: boolean },
): Row {
  const createdBy = printable(entry.CreatedBy)
  const ms = entry.Created * 1000
  return {
    ID: view.isWhole || !entry.Id.startsWith('sha256:') ? entry.Id : shortId(entry.Id),
    CreatedSince: view.isHuman ? (entry.Created <= 0 ? 'N/A' : `${humanDuration(view.nowMs - ms)} ago`) : rfc3339(ms),
    CreatedAt: rfc3339(ms),
    CreatedBy: view.isWhole ? createdBy : truncate(createdBy, MAX_CREATED_BY),
    Size: view.isHuman ? decimalSize(entry.Size) : String(entry.Size),
    Comment: printable(entry.Comment),
  }
}
