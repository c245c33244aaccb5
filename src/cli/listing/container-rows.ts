import type { DockerContainerSummary, DockerPort } from '#client'
import { shortId } from '#base'

import { printable } from '../output/colour.ts'
import { goTime, humanDuration, decimalSize } from '../output/human.ts'
import { truncate } from '../output/table.ts'
import { labelFields, type Row } from './listing.ts'

export const CONTAINER_HEADINGS: Readonly<Record<string, string>> = {
  ID: 'CONTAINER ID',
  Image: 'IMAGE',
  Command: 'COMMAND',
  CreatedAt: 'CREATED AT',
  RunningFor: 'CREATED',
  Status: 'STATUS',
  State: 'STATE',
  Ports: 'PORTS',
  Names: 'NAMES',
  Size: 'SIZE',
  Labels: 'LABELS',
  Mounts: 'MOUNTS',
  LocalVolumes: 'LOCAL VOLUMES',
  Networks: 'NETWORKS',
  Platform: 'PLATFORM',
}

export const CONTAINER_TABLE = ['ID', 'Image', 'Command', 'RunningFor', 'Status', 'Ports', 'Names'] as const

/** What a command and a mount are cut to. */
const MAX_COMMAND = 20
const MAX_MOUNT = 15

export interface ContainerView {
  readonly nowMs: number
  readonly isWhole: boolean
  /** With `(virtual …)` behind the size, as the list has it. */
  readonly withVirtualSize: boolean
}

export function containerRow(one: DockerContainerSummary, { nowMs, isWhole, withVirtualSize }: ContainerView): Row {
  const mounts = (one.Mounts ?? []).map((mount) => printable(mount.Name || mount.Source || ''))
  const size = decimalSize(one.SizeRw ?? 0)
  const hasVirtual = withVirtualSize && (one.SizeRootFs ?? 0) > 0
  return {
    ID: isWhole ? one.Id : shortId(one.Id),
    Image: imageText(one.Image, isWhole),
    Command: JSON.stringify(isWhole ? printable(one.Command) : truncate(printable(one.Command), MAX_COMMAND)),
    CreatedAt: goTime(one.Created * 1000),
    RunningFor: `${humanDuration(nowMs - one.Created * 1000)} ago`,
    Status: printable(one.Status),
    State: one.State,
    Ports: portsText(one.Ports ?? []),
    Names: one.Names.map((name) => printable(name.replace(/^\//, ''))).join(','),
    Size: hasVirtual ? `${size} (virtual ${decimalSize(one.SizeRootFs ?? 0)})` : size,
    ...labelFields(one.Labels),
    Mounts: mounts.map((mount) => (isWhole ? mount : truncate(mount, MAX_MOUNT))).join(','),
    LocalVolumes: String((one.Mounts ?? []).filter((mount) => mount.Type === 'volume').length),
    Networks: Object.keys(one.NetworkSettings?.Networks ?? {})
      .map(printable)
      .join(','),
    Platform: null,
  }
}

function imageText(image: string, isWhole: boolean): string {
  if (image === '') return '<no image>'
  return image.startsWith('sha256:') && !isWhole ? shortId(image) : printable(image)
}

/** `0.0.0.0:8080->80/tcp, 443/tcp`; neighbours that are published alike are one range. */
export function portsText(ports: readonly DockerPort[]): string {
  const sorted = ports.toSorted(
    (a, b) =>
      a.PrivatePort - b.PrivatePort ||
      order(a.IP ?? '', b.IP ?? '') ||
      (a.PublicPort ?? 0) - (b.PublicPort ?? 0) ||
      order(a.Type, b.Type),
  )
  const ranges: Range[] = []
  const single: string[] = []
  for (const port of sorted) {
    if (port.PublicPort !== undefined && port.PublicPort !== port.PrivatePort) {
      single.push(rangeText({ ...port, IP: port.IP ?? '', last: port.PrivatePort }))
      continue
    }
    const before = ranges.findLast((one) => one.IP === (port.IP ?? '') && one.Type === port.Type)
    if (before !== undefined && before.last === port.PrivatePort - 1) before.last = port.PrivatePort
    else if (before?.last !== port.PrivatePort)
      ranges.push({
        IP: port.IP ?? '',
        Type: port.Type,
        PrivatePort: port.PrivatePort,
        PublicPort: port.PublicPort,
        last: port.PrivatePort,
      })
  }
  return [...new Set([...ranges.map(rangeText), ...single])].join(', ')
}

interface Range {
  readonly IP: string
  readonly Type: string
  readonly PrivatePort: number
  readonly PublicPort?: number | undefined
  last: number
}

function rangeText({ IP, Type, PrivatePort, PublicPort, last }: Range): string {
  const span = (first: number) => (last === PrivatePort ? String(first) : `${first}-${first + last - PrivatePort}`)
  const inside = `${span(PrivatePort)}/${Type}`
  if (PublicPort === undefined) return inside
  const address = IP === '' ? '' : `${IP.includes(':') ? `[${IP}]` : IP}:`
  return `${address}${span(PublicPort)}->${inside}`
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
