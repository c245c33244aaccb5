import type { DockerPruned } from '#client'

import { printable } from '../output/colour.ts'
import { decimalSize } from '../output/human.ts'

/** What is gone, kind by kind: nothing is said of kinds of which nothing went. */
export function prunedText(pruned: DockerPruned): string {
  const images = (pruned.ImagesDeleted ?? []).map((one) =>
    one.Untagged === undefined ? `deleted: ${one.Deleted ?? ''}` : `untagged: ${one.Untagged}`,
  )
  return [
    section('Deleted Containers', pruned.ContainersDeleted),
    section('Deleted Networks', pruned.NetworksDeleted),
    section('Deleted Volumes', pruned.VolumesDeleted),
    section('Deleted Images', images),
    section('Deleted build cache objects', pruned.CachesDeleted),
  ].join('')
}

function section(title: string, lines: readonly string[] | null | undefined): string {
  if ((lines ?? []).length === 0) return ''
  return `${title}:\n${(lines ?? []).map((line) => `${printable(line)}\n`).join('')}\n`
}

export function reclaimedText(bytes: number): string {
  return `Total reclaimed space: ${decimalSize(bytes)}\n`
}
