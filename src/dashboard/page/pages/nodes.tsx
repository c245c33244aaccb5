import type { JSX } from 'preact'

import type { NodeView } from '#api/glovebox'

import { useApp, useLive } from '../base/app-context.ts'
import { bytes, duration, figure, percent } from '../base/format.ts'
import { Action } from '../parts/action.tsx'
import { Badge, type Tone } from '../parts/badge.tsx'
import { show, useAsked } from '../parts/loaded.tsx'
import { Meter } from '../parts/meter.tsx'
import { Facts, PageHead, Panel } from '../parts/panel.tsx'
import { Plot } from '../parts/plot.tsx'

const EVERY_MS = 5000
const NANOS = 1_000_000_000
const SECOND = 1000
const TONES: Readonly<Record<NodeView['state'], Tone>> = { ready: 'good', unknown: 'idle', down: 'bad', disconnected: 'bad' }

/** The machines, and how this one is doing. */
export function Nodes(): JSX.Element {
  const loaded = useAsked<readonly NodeView[]>('/glovebox/v1/nodes', EVERY_MS)
  return (
    <>
      <PageHead title="Nodes" />
      {show(loaded, (nodes) => (
        <>
          {nodes.map((node) => (
            <Node key={node.id} node={node} />
          ))}
        </>
      ))}
      <ThisMachine />
    </>
  )
}

function Node({ node }: { readonly node: NodeView }): JSX.Element {
  const { http } = useApp()
  const { hostname, state, availability } = node
  const put = (to: string) => async () =>
    await http.json('PUT', `/glovebox/v1/nodes/${encodeURIComponent(node.id)}`, { availability: to })
  return (
    <Panel
      title={hostname}
      aside={
        <span class="checks">
          <Badge tone={TONES[state]}>{state}</Badge>
          {availability !== 'active' && <Badge tone="warn">{availability === 'drain' ? 'drained' : 'takes no new tasks'}</Badge>}
          {availability === 'active' ? (
            <Action
              title="Drain"
              role="admin"
              confirm={`The tasks of services on ${hostname} go elsewhere, and end where there is no other node.`}
              done={`${hostname} is drained`}
              run={put('drain')}
            />
          ) : (
            <Action title="Take tasks again" role="admin" isMain done={`${hostname} takes tasks`} run={put('active')} />
          )}
        </span>
      }
    >
      <Facts
        of={[
          ['Role', node.role],
          ['Tasks', String(node.tasks)],
          ['Processors', figure(node.nanoCpus / NANOS)],
          ['Memory', bytes(node.memoryBytes)],
          ['Platform', node.platform],
          ['Version', node.engineVersion],
          ['Address', node.address],
          [
            'Labels',
            Object.entries(node.labels)
              .map(([name, value]) => `${name}=${value}`)
              .join(', ') || 'none',
          ],
        ]}
      />
      {node.message !== '' && <p class="why-not">{node.message}</p>}
    </Panel>
  )
}

function ThisMachine(): JSX.Element | null {
  const { host } = useLive('host')
  const { hosts } = useApp().live
  const self = host.get('self')
  if (self === undefined) return null
  const memory = 1 - self.memoryAvailableBytes / self.memoryBytes
  const disk = 1 - self.diskFreeBytes / self.diskBytes
  const times = hosts.map(({ atMs }) => atMs / SECOND)
  return (
    <>
      <Panel title={`${self.name}, this machine`} aside={`Linux ${self.kernel}, up ${duration(self.uptimeS * SECOND)}`}>
        <div class="pad gauges">
          <div>
            <span>Load</span>
            <b>{figure(self.load1)}</b>
            <span class="soft">
              {figure(self.load5)} over 5 min, {figure(self.load15)} over 15, on {self.cpus} processors
            </span>
          </div>
          <div>
            <span>Memory</span>
            <b>{percent(memory)}</b>
            <span class="soft">
              {bytes(self.memoryAvailableBytes)} of {bytes(self.memoryBytes)} free
            </span>
            <Meter part={memory} label="Memory in use" />
          </div>
          <div>
            <span>Disk</span>
            <b>{percent(disk)}</b>
            <span class="soft">
              {bytes(self.diskFreeBytes)} of {bytes(self.diskBytes)} free
            </span>
            <Meter part={disk} label="Disk in use" />
          </div>
        </div>
      </Panel>
      <div class="plots">
        <Panel title="Processor, the last minutes">
          <Plot
            label="Processor"
            times={times}
            format={percent}
            series={[{ title: 'busy', tone: 'first', values: hosts.map(({ busy }) => busy) }]}
          />
        </Panel>
        <Panel title="Memory, the last minutes">
          <Plot
            label="Memory in use"
            times={times}
            isBytes
            format={bytes}
            series={[{ title: 'in use', tone: 'first', values: hosts.map((one) => one.memoryBytes - one.memoryAvailableBytes) }]}
          />
        </Panel>
      </div>
    </>
  )
}
