import { shortId } from '#base'
import type { DockerNetwork, DockerVolume } from '#client'

import { printable } from '../output/colour.ts'
import { decimalSize, goTime } from '../output/human.ts'
import { labelFields, type Row } from './listing.ts'

export const NETWORK_HEADINGS: Readonly<Record<string, string>> = {
  ID: 'NETWORK ID',
  Name: 'NAME',
  Driver: 'DRIVER',
  Scope: 'SCOPE',
  IPv4: 'IPV4',
  IPv6: 'IPV6',
  Internal: 'INTERNAL',
  Labels: 'LABELS',
  CreatedAt: 'CREATED AT',
}

export function networkRow(network: DockerNetwork, isWhole: boolean): Row {
  return {
    ID: isWhole ? network.Id : shortId(network.Id),
    Name: printable(network.Name),
    Driver: printable(network.Driver),
    Scope: network.Scope,
    IPv4: String(network.EnableIPv4 ?? true),
    IPv6: String(network.EnableIPv6),
    Internal: String(network.Internal),
    ...labelFields(network.Labels),
    CreatedAt: goTime(Date.parse(network.Created), /\.(\d+)/.exec(network.Created)?.[1]),
  }
}

export const VOLUME_HEADINGS: Readonly<Record<string, string>> = {
  Driver: 'DRIVER',
  Name: 'VOLUME NAME',
  Scope: 'SCOPE',
  Mountpoint: 'MOUNTPOINT',
  Labels: 'LABELS',
  Links: 'LINKS',
  Size: 'SIZE',
  Availability: 'AVAILABILITY',
  Group: 'GROUP',
  Status: 'STATUS',
}

export function volumeRow(volume: DockerVolume): Row {
  const { UsageData: usage } = volume
  return {
    Driver: printable(volume.Driver),
    Name: printable(volume.Name),
    Scope: volume.Scope,
    Mountpoint: printable(volume.Mountpoint),
    ...labelFields(volume.Labels),
    Links: (usage ?? null) === null ? 'N/A' : String(usage?.RefCount),
    Size: (usage ?? null) === null || (usage?.Size ?? -1) < 0 ? 'N/A' : decimalSize(usage?.Size ?? 0),
    // Of volumes of a cluster, which there are none of.
    Availability: 'N/A',
    Group: 'N/A',
    Status: 'N/A',
  }
}
