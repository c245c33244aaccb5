import { shortId } from '#base'
import type { DockerBuildRecord, DockerContainerSummary, DockerDiskUsage } from '#client'

import { printable } from '../output/colour.ts'
import { decimalSize, humanDuration } from '../output/human.ts'
import { truncate } from '../output/table.ts'
import { CONTAINER_HEADINGS, containerRow } from './container-rows.ts'
import { IMAGE_HEADINGS, imageRows } from './image-rows.ts'
import type { Listing, Row } from './listing.ts'
import { VOLUME_HEADINGS, volumeRow } from './network-rows.ts'

export const USAGE_HEADINGS: Readonly<Record<string, string>> = {
  Type: 'TYPE',
  TotalCount: 'TOTAL',
  Active: 'ACTIVE',
  Size: 'SIZE',
  Reclaimable: 'RECLAIMABLE',
}

const DIGITS = 4

/** One line for each kind: how many, how many of them in use, how much, and how much of that a prune would give back. */
export function diskUsageRows(usage: DockerDiskUsage): readonly Row[] {
  const images = usage.Images ?? []
  const containers = usage.Containers ?? []
  const volumes = usage.Volumes ?? []
  const builds = usage.BuildCache ?? []
  const layers = usage.LayersSize ?? 0
  const usedImages = images.filter((image) => image.Containers > 0)
  const usedBytes = sum(usedImages.map((image) => Math.max(0, image.Size - Math.max(0, image.SharedSize ?? 0))))
  const volumeBytes = volumes.map((volume) => Math.max(0, volume.UsageData?.Size ?? 0))
  const isVolumeUsed = (i: number) => (volumes[i]?.UsageData?.RefCount ?? 0) > 0
  const idle = containers.filter((one) => !isActive(one))
  // Of a build only what nothing else shares goes.
  const ownBuilds = builds.filter((build) => !build.Shared)
  return [
    row('Images', images.length, usedImages.length, layers, Math.max(0, layers - usedBytes), true),
    row('Containers', containers.length, containers.length - idle.length, written(containers), written(idle), true),
    row(
      'Local Volumes',
      volumes.length,
      volumes.filter((_, i) => isVolumeUsed(i)).length,
      sum(volumeBytes),
      sum(volumeBytes.filter((_, i) => !isVolumeUsed(i))),
      true,
    ),
    row(
      'Build Cache',
      builds.length,
      builds.filter((build) => build.InUse).length,
      sum(ownBuilds.map((build) => build.Size)),
      sum(ownBuilds.filter((build) => !build.InUse).map((build) => build.Size)),
      false,
    ),
  ]
}

function row(Type: string, total: number, active: number, bytes: number, reclaimable: number, hasShare: boolean): Row {
  const share = hasShare && bytes > 0 ? ` (${Math.trunc((reclaimable * 100) / bytes)}%)` : ''
  return {
    Type,
    TotalCount: String(total),
    Active: String(active),
    Size: decimalSize(bytes, DIGITS),
    Reclaimable: `${decimalSize(reclaimable, DIGITS)}${share}`,
  }
}

function isActive(container: DockerContainerSummary): boolean {
  return ['running', 'paused', 'restarting'].includes(container.State)
}

function written(containers: readonly DockerContainerSummary[]): number {
  return sum(containers.map((one) => one.SizeRw ?? 0))
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

export interface VerboseUsage {
  readonly images: Listing
  readonly containers: Listing
  readonly volumes: Listing
  readonly builds: Listing
  readonly buildBytes: number
}

export function verboseUsage(usage: DockerDiskUsage, nowMs: number): VerboseUsage {
  const builds = usage.BuildCache ?? []
  return {
    images: {
      headings: IMAGE_HEADINGS,
      table: ['Repository', 'Tag', 'ID', 'CreatedSince', 'Size', 'SharedSize', 'UniqueSize', 'Containers'],
      rows: (usage.Images ?? []).flatMap((image) => imageRows(image, { nowMs, isWhole: false })),
    },
    containers: {
      headings: CONTAINER_HEADINGS,
      table: ['ID', 'Image', 'Command', 'LocalVolumes', 'Size', 'RunningFor', 'Status', 'Names'],
      rows: (usage.Containers ?? []).map((one) => containerRow(one, { nowMs, isWhole: false, withVirtualSize: false })),
    },
    volumes: {
      headings: VOLUME_HEADINGS,
      table: ['Name', 'Links', 'Size'],
      rows: (usage.Volumes ?? []).map(volumeRow),
    },
    builds: {
      headings: BUILD_HEADINGS,
      table: ['ID', 'CacheType', 'Size', 'CreatedSince', 'LastUsedSince', 'UsageCount', 'Shared'],
      rows: builds.map((build) => buildRow(build, nowMs)),
    },
    buildBytes: sum(builds.filter((build) => !build.Shared).map((build) => build.Size)),
  }
}

const BUILD_HEADINGS: Readonly<Record<string, string>> = {
  ID: 'CACHE ID',
  CacheType: 'CACHE TYPE',
  Size: 'SIZE',
  CreatedSince: 'CREATED',
  LastUsedSince: 'LAST USED',
  UsageCount: 'USAGE',
  Shared: 'SHARED',
  InUse: 'IN USE',
  Description: 'DESCRIPTION',
}

const MAX_DESCRIPTION = 60

function buildRow(build: DockerBuildRecord, nowMs: number): Row {
  const since = (time: string | null | undefined) =>
    (time ?? '') === '' ? '' : `${humanDuration(nowMs - Date.parse(time ?? ''))} ago`
  return {
    ID: shortId(build.ID),
    CacheType: printable(build.Type),
    Size: decimalSize(build.Size),
    CreatedSince: since(build.CreatedAt),
    LastUsedSince: since(build.LastUsedAt),
    UsageCount: String(build.UsageCount),
    Shared: String(build.Shared),
    InUse: String(build.InUse),
    Description: truncate(printable(build.Description), MAX_DESCRIPTION),
  }
}
