import type { Anatomy, AnatomyCgroup, AnatomyLayer } from '#api/glovebox'
import { formatBytes, shortId } from '#base'

import { type Paint, printable } from './colour.ts'
import { pad, renderFields, truncate } from './table.ts'
import { binaryBytes, counted, localTime, roughDuration } from './units.ts'

/** One page of plain text, no line wider than `width` where it can be helped. */
export function anatomyPage(it: Anatomy, paint: Paint, width: number, nowMs: number): string {
  const head = `${paint('bold', printable(it.name))}  ${shortId(it.id)}  ${it.state}\n`
  const sections: readonly (readonly [string, string])[] = [
    ['The process', processSection(it, nowMs)],
    ['Born from tarballs', layersSection(it, width)],
    ['Controlled by a control group', it.cgroup === null ? '  none: it does not run\n' : cgroupSection(it.cgroup)],
    ['Anchored to namespaces', namespacesSection(it, paint)],
    ['Mounts', mountsSection(it)],
    ['Network', networkSection(it)],
    ['Files of ours', it.files.map((file) => `  ${printable(file.path)}  ${paint('dim', file.purpose)}\n`).join('')],
  ]
  return head + sections.map(([title, body]) => `\n${paint('cyan', title)}\n${body === '' ? '  none\n' : body}`).join('')
}

function processSection({ process, state }: Anatomy, nowMs: number): string {
  if (process === null) return `  none: the container is ${state}\n`
  return renderFields(
    [
      ['pid', `${process.hostPid} on the host, ${process.insidePid} inside`],
      ['user', `${printable(process.user)} (uid ${process.uid})`],
      ['command', process.command.map(printable).join(' ')],
      ['started', `${localTime(process.startedAtMs)} (${roughDuration(nowMs - process.startedAtMs)} ago)`],
      ['memory', binaryBytes(process.rssBytes)],
      ['CPU time', `${process.cpuSeconds.toFixed(2)} s`],
      [
        'company',
        `${counted(process.processes, 'process', 'processes')} in the container, ${counted(process.threads, 'thread')} in this one`,
      ],
    ],
    '  ',
  )
}

function layersSection(it: Anatomy, width: number): string {
  const image = `  ${printable(it.image.reference)}  ${shortId(it.image.id)}, ${it.snapshotDriver === 'erofs' ? 'mounted in place (EROFS)' : 'unpacked into directories'}\n`
  const sizes = it.layers.map((layer) => formatBytes(layer.sizeBytes))
  const sizeWidth = Math.max(0, ...sizes.map((size) => size.length))
  const layers = it.layers.map((layer, i) => {
    const head = `  ${String(i + 1).padStart(2)}  ${shortId(layer.diffId)}  ${pad(sizes[i] ?? '', sizeWidth, 'right')}  `
    return `${head}${truncate(`${layerNote(layer)}${printable(layer.createdBy)}`, Math.max(20, width - head.length))}\n`
  })
  const top = it.writableBytes === null ? '' : `   +  what it wrote itself: ${formatBytes(it.writableBytes)}\n`
  return `${image}${layers.join('')}${top}`
}

function layerNote(layer: AnatomyLayer): string {
  const entries = layer.entries === null ? '' : `${counted(layer.entries, 'entry', 'entries')}, `
  const shared = layer.sharedWith === null || layer.sharedWith === 0 ? '' : `shared with ${counted(layer.sharedWith, 'image')}, `
  const note = (entries + shared).replace(/, $/, '')
  return note === '' ? '' : `(${note}) `
}

function cgroupSection(group: AnatomyCgroup): string {
  const of = (limit: number | null, show: (value: number) => string) => (limit === null ? 'no limit' : `of ${show(limit)}`)
  const peak = group.memoryPeakBytes === null ? '' : `, at most ${binaryBytes(group.memoryPeakBytes)} so far`
  const throttled = group.throttledSeconds > 0 ? `, held back for ${group.throttledSeconds.toFixed(2)} s` : ''
  return renderFields(
    [
      ['path', group.path],
      ['memory', `${binaryBytes(group.memoryUsageBytes)} ${of(group.memoryLimitBytes, binaryBytes)}${peak}`],
      [
        'CPU',
        `${group.cpuSeconds.toFixed(2)} s used, ${group.cpuLimit === null ? 'no limit' : `at most ${counted(group.cpuLimit, 'CPU')}`}${throttled}`,
      ],
      ['pids', `${group.pids} ${of(group.pidsLimit, String)}`],
      ...(group.oomKills > 0 ? [['killed', `${counted(group.oomKills, 'time')} for want of memory`] as const] : []),
    ],
    '  ',
  )
}

function namespacesSection(it: Anatomy, paint: Paint): string {
  return renderFields(
    it.namespaces.map((one) => {
      const shared =
        one.sharedWith === 'own'
          ? 'its own'
          : one.sharedWith === 'host'
            ? paint('yellow', 'the host’s')
            : `shared with ${one.sharedWith.map(printable).join(', ')}`
      return [one.type, `${pad(String(one.inode), 10, 'right')}  ${shared}`]
    }),
    '  ',
  )
}

function mountsSection(it: Anatomy): string {
  const width = Math.max(0, ...it.mounts.map((mount) => printable(mount.target).length))
  return it.mounts
    .map(
      (mount) =>
        `  ${pad(printable(mount.target), width, 'left')}  ${mount.type}  ${printable(mount.source)}${mount.isReadOnly ? '  read-only' : ''}`.trimEnd() +
        '\n',
    )
    .join('')
}

function networkSection({ network }: Anatomy): string {
  const endpoints = network.endpoints.map((one) => {
    const names = one.names.length === 0 ? '' : `, known as ${one.names.map(printable).join(', ')}`
    return [one.network, `${one.address} via ${one.gateway}, ${one.macAddress}${names}`] as const
  })
  const ports = network.ports.map(
    (port) =>
      [
        'port',
        `${port.hostIp === '' ? '' : `${port.hostIp}:`}${port.hostPort} on the host → ${port.containerPort}/${port.protocol}`,
      ] as const,
  )
  return renderFields([['mode', network.mode], ...endpoints, ...ports], '  ')
}
