import type { JSX } from 'preact'

import type { Anatomy as Wire, AnatomyCgroup, AnatomyLayer } from '#api/glovebox'
import type { LiveContainer } from '#dashboard/wire'

import { bytes, count, duration, shortId } from '../base/format.ts'
import { containerShown } from '../base/tones.ts'
import { useNow } from '../parts/ago.tsx'
import { show, useAsked } from '../parts/loaded.tsx'
import { Meter } from '../parts/meter.tsx'
import { Empty, Facts, Panel } from '../parts/panel.tsx'
import { Why } from '../parts/why.tsx'

/** The kernel is asked anew so often while one looks. */
const EVERY_MS = 3000

/** What a container is made of: the tarballs at the bottom, what it wrote on top of them, and the process that lives in them. */
export function Anatomy({ container }: { readonly container: LiveContainer }): JSX.Element {
  const loaded = useAsked<Wire>(`/glovebox/v1/containers/${container.id}/anatomy`, EVERY_MS)
  return show(loaded, (anatomy) => (
    <div class="anatomy">
      {container.error !== '' && <p class="refusal">{container.error}</p>}
      {['bad', 'warn'].includes(containerShown(container).tone) && <Why name={container.name} />}
      <div class="two">
        <div class="stack">
          <Process of={anatomy} />
          <Layers of={anatomy} />
        </div>
        <div class="stack">
          {anatomy.cgroup !== null && <Cgroup of={anatomy.cgroup} />}
          <Namespaces of={anatomy} />
          <Network of={anatomy} />
          <Mounts of={anatomy} />
          <Files of={anatomy} />
        </div>
      </div>
    </div>
  ))
}

function Process({ of: { process, state } }: { readonly of: Wire }): JSX.Element {
  const now = useNow()
  if (process === null)
    return (
      <Panel title="Process">
        <Empty>It has none: the container is {state}.</Empty>
      </Panel>
    )
  return (
    <Panel title="Process" aside={`${count(process.processes)} in all`}>
      <div class="pad">
        <code class="command">{process.command.join(' ')}</code>
      </div>
      <Facts
        of={[
          ['On the host', `pid ${process.hostPid}`],
          ['Inside', `pid ${process.insidePid}`],
          ['User', `${process.user} (${process.uid})`],
          ['Threads', count(process.threads)],
          ['Memory', bytes(process.rssBytes)],
          ['Runs for', duration(now - process.startedAtMs)],
        ]}
      />
    </Panel>
  )
}

/** Even an empty layer is a line, and a huge one does not make the others vanish. */
const MIN_LAYER_PX = 30
const MAX_LAYER_PX = 92

function Layers({ of }: { readonly of: Wire }): JSX.Element {
  const largest = Math.max(...of.layers.map(({ sizeBytes }) => sizeBytes), of.writableBytes ?? 0, 1)
  const height = (size: number) => `${Math.round(MIN_LAYER_PX + (MAX_LAYER_PX - MIN_LAYER_PX) * Math.sqrt(size / largest))}px`
  const total = of.layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  const how = of.snapshotDriver === 'erofs' ? 'mounted from the tarballs as they are' : 'unpacked into directories'
  return (
    <Panel title="Layers" aside={`${bytes(total)}, ${how}`}>
      <ol class="layers">
        <li class="writable" style={{ minHeight: height(of.writableBytes ?? 0) }}>
          <span class="what">what it wrote</span>
          <span class="size">{of.writableBytes === null ? 'not known' : bytes(of.writableBytes)}</span>
        </li>
        {of.layers.toReversed().map((layer) => (
          <Layer key={layer.diffId} of={layer} height={height(layer.sizeBytes)} />
        ))}
      </ol>
    </Panel>
  )
}

function Layer({ of, height }: { readonly of: AnatomyLayer; readonly height: string }): JSX.Element {
  const facts = [
    of.entries === null ? '' : `${count(of.entries)} files`,
    of.sharedWith === null || of.sharedWith === 0 ? '' : `in ${of.sharedWith} other ${of.sharedWith === 1 ? 'image' : 'images'}`,
  ].filter((fact) => fact !== '')
  return (
    <li style={{ minHeight: height }}>
      <span class="what" title={of.createdBy}>
        {instruction(of.createdBy)}
      </span>
      <span class="size">{bytes(of.sizeBytes)}</span>
      <span class="facts-line">
        <code>{shortId(of.diffId)}.tar</code>
        {facts.map((fact) => ` · ${fact}`)}
      </span>
    </li>
  )
}

/** Builders of old wrote the shell around each command. */
function instruction(text: string): string {
  const plain = text.replace(/^\/bin\/sh -c (?:#\(nop\)\s*)?/, '').trim()
  return plain === '' ? 'a layer that says nothing of itself' : plain
}

function Cgroup({ of }: { readonly of: AnatomyCgroup }): JSX.Element {
  const memory = of.memoryLimitBytes === null ? null : of.memoryUsageBytes / of.memoryLimitBytes
  const pids = of.pidsLimit === null ? null : of.pids / of.pidsLimit
  return (
    <Panel title="Control group">
      <div class="pad gauges">
        <div>
          <span>Memory</span>
          <b>{bytes(of.memoryUsageBytes)}</b>
          <span class="soft">{of.memoryLimitBytes === null ? 'no limit' : `of ${bytes(of.memoryLimitBytes)}`}</span>
          {memory !== null && <Meter part={memory} label="Memory of its limit" />}
        </div>
        <div>
          <span>Processes</span>
          <b>{count(of.pids)}</b>
          <span class="soft">{of.pidsLimit === null ? 'no limit' : `of ${count(of.pidsLimit)}`}</span>
          {pids !== null && <Meter part={pids} label="Processes of their limit" />}
        </div>
        <div>
          <span>Processor</span>
          <b>{of.cpuLimit === null ? 'no limit' : `${of.cpuLimit} CPU`}</b>
          <span class="soft">{duration(of.cpuSeconds * 1000)} used</span>
        </div>
      </div>
      <Facts
        of={[
          ['Most memory so far', of.memoryPeakBytes === null ? 'not kept' : bytes(of.memoryPeakBytes)],
          ['Held back for', duration(of.throttledSeconds * 1000)],
          ['Killed for memory', of.oomKills === 0 ? 'never' : `${of.oomKills} times`],
          ['Path', <code key="path">{of.path}</code>],
        ]}
      />
    </Panel>
  )
}

const MEANINGS: Readonly<Record<string, string>> = {
  pid: 'processes that it sees',
  mnt: 'files that it sees',
  net: 'addresses and ports',
  uts: 'its host name',
  ipc: 'shared memory',
  user: 'user ids',
  cgroup: 'control groups',
  time: 'clocks',
}

function Namespaces({ of: { namespaces } }: { readonly of: Wire }): JSX.Element {
  return (
    <Panel title="Namespaces">
      {namespaces.length === 0 ? (
        <Empty>Only what runs has them.</Empty>
      ) : (
        <ul class="namespaces pad">
          {namespaces.map(({ type, inode, sharedWith }) => (
            <li key={type} class={sharedWith === 'own' ? 'own' : 'shared'}>
              <b>{type}</b>
              <span>
                {sharedWith === 'own' ? 'its own' : sharedWith === 'host' ? "the host's" : `with ${sharedWith.join(', ')}`}
              </span>
              <small>
                {MEANINGS[type] ?? ''} · {inode}
              </small>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  )
}

function Network({ of: { network } }: { readonly of: Wire }): JSX.Element {
  return (
    <Panel title="Network" aside={network.mode}>
      {network.endpoints.length === 0 && network.ports.length === 0 ? (
        <Empty>It is on no network.</Empty>
      ) : (
        <ul class="lines">
          {network.endpoints.map((endpoint) => (
            <li key={endpoint.network}>
              <b>{endpoint.network}</b>
              <code>{endpoint.address}</code>
              <span class="soft">by {endpoint.gateway || 'no gateway'}</span>
              <span class="soft end">{endpoint.names.join(', ')}</span>
            </li>
          ))}
          {network.ports.map((port) => (
            <li key={`${port.hostIp}${port.hostPort}${port.protocol}`}>
              <b>port</b>
              <code>
                {port.hostIp}:{port.hostPort}
              </code>
              <span class="soft">
                to {port.containerPort}/{port.protocol}
              </span>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  )
}

function Mounts({ of: { mounts } }: { readonly of: Wire }): JSX.Element {
  return (
    <Panel title="Mounts">
      {mounts.length === 0 ? (
        <Empty>Nothing of the host is in it.</Empty>
      ) : (
        <ul class="lines">
          {mounts.map(({ type, source, target, isReadOnly }) => (
            <li key={target}>
              <code>{target}</code>
              <span class="soft">
                {type} {source}
              </span>
              <span class="soft end">{isReadOnly ? 'to read only' : 'to read and write'}</span>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  )
}

function Files({ of: { files } }: { readonly of: Wire }): JSX.Element {
  return (
    <Panel title="Files of ours">
      <ul class="lines">
        {files.map(({ path, purpose }) => (
          <li key={path}>
            <code class="break">{path}</code>
            <span class="soft">{purpose}</span>
          </li>
        ))}
      </ul>
    </Panel>
  )
}
