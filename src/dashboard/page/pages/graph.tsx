import type { JSX } from 'preact'
import { useState } from 'preact/hooks'

import type { PolicyReport } from '#api/glovebox'

import { useLive } from '../base/app-context.ts'
import { count } from '../base/format.ts'
import type { LiveState } from '../base/live-state.ts'
import { to } from '../base/place.ts'
import { BOX_HEIGHT, BOX_WIDTH, edgePath, talkGraph, type TalkEntry, type TalkGraph } from '../base/talk-graph.ts'
import { Badge } from '../parts/badge.tsx'
import { show, useAsked } from '../parts/loaded.tsx'
import { Empty, PageHead, Panel } from '../parts/panel.tsx'
import { addressesOf } from './routes.tsx'

const EVERY_MS = 5000

/** Who may talk to whom, and who has tried in vain. */
export function Graph(): JSX.Element {
  const state = useLive('stacks', 'routes', 'containers')
  const loaded = useAsked<PolicyReport>('/glovebox/v1/policy', EVERY_MS)
  return (
    <>
      <PageHead title="Who talks to whom" />
      {show(loaded, (report) => (
        <>
          {!report.isEnforced && (
            <p class="why-not">
              The kernel does not show what passes between neighbours on one network: there nothing is refused.
            </p>
          )}
          <Picture graph={talkGraph(servicesOf(state), report.mayTalk, report.refused, entriesOf(state))} />
          <Refused of={report.refused} />
          <Allowed of={report.mayTalk} />
        </>
      ))}
    </>
  )
}

function servicesOf({ stacks }: LiveState): ReadonlyMap<string, readonly string[]> {
  return new Map([...stacks.values()].map(({ name, services }) => [name, services.map((service) => service.name)]))
}

/** A route's backends are addresses: whose they are says the service. */
function entriesOf({ routes, containers }: LiveState): readonly TalkEntry[] {
  const byAddress = new Map(
    [...containers.values()].flatMap(({ addresses, stack, service }) =>
      stack === null || service === null
        ? []
        : Object.values(addresses).map((address) => [address, `${stack}/${service}`] as const),
    ),
  )
  return [...routes.values()].map((route) => ({
    name: addressesOf(route).replace(/^https?:\/\//, ''),
    services: [...new Set(route.backends.flatMap(({ address }) => byAddress.get(address) ?? []))],
  }))
}

const MARGIN = 16

function Picture({ graph }: { readonly graph: TalkGraph }): JSX.Element {
  const [chosen, setChosen] = useState<string | null>(null)
  if (graph.nodes.length === 0) return <Empty>There are no applications whose services could talk.</Empty>
  const width = graph.width + 2 * MARGIN + 40
  const height = graph.height + 2 * MARGIN
  const isDim = (names: readonly string[]) => chosen !== null && !names.includes(chosen)
  return (
    <div class="panel graph" tabIndex={0} role="region" aria-label="The picture, also told in the lists below">
      <svg
        viewBox={`${-MARGIN} ${-MARGIN} ${width} ${height}`}
        style={{ minWidth: `${Math.min(width, 560)}px`, maxWidth: `${width}px` }}
      >
        <defs>
          <marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse">
            <path d="M0 0L8 4L0 8z" class="arrow-head" />
          </marker>
          <marker
            id="arrow-refused"
            viewBox="0 0 8 8"
            refX="7"
            refY="4"
            markerWidth="7"
            markerHeight="7"
            orient="auto-start-reverse"
          >
            <path d="M0 0L8 4L0 8z" class="arrow-head refused" />
          </marker>
        </defs>
        {graph.groups.map((group) => (
          <g key={group.name}>
            <rect
              class={`group ${group.kind}${group.isOpen ? ' open' : ''}`}
              x={group.x}
              y={group.y}
              width={group.width}
              height={group.height}
              rx={8}
            />
            <a href={group.kind === 'entries' ? to('routes') : to('apps', group.name)}>
              <text class="group-name" x={group.x + 12} y={group.y + 21}>
                {group.name}
              </text>
            </a>
          </g>
        ))}
        {graph.edges.map((edge) => (
          <path
            key={edge.key}
            class={`edge ${edge.kind}${isDim([edge.from.name, edge.to.name]) ? ' dim' : ''}`}
            d={edgePath(edge)}
            marker-end={edge.kind === 'refused' ? 'url(#arrow-refused)' : 'url(#arrow)'}
          >
            <title>
              {edge.from.name} to {edge.to.name}: {edge.label}
              {edge.kind === 'refused' ? ' was refused' : ''}
            </title>
          </path>
        ))}
        {graph.nodes.map((node) => (
          <g
            key={node.name}
            class={`node${chosen === node.name ? ' chosen' : ''}`}
            onMouseEnter={() => setChosen(node.name)}
            onMouseLeave={() => setChosen(null)}
          >
            <rect x={node.x} y={node.y} width={BOX_WIDTH} height={BOX_HEIGHT} rx={6} />
            <text x={node.x + 10} y={node.y + 22}>
              {shortened(node.title)}
            </text>
          </g>
        ))}
      </svg>
      <p class="soft legend">
        A frame with a green edge: inside, everybody may talk to everybody. A line: may connect to. A coloured line: the router
        sends requests there. A broken red line: tried, and was refused within the last hour.
      </p>
    </div>
  )
}

/** As much as the box holds. */
function shortened(title: string): string {
  return title.length > 20 ? `${title.slice(0, 19)}…` : title
}

function Refused({ of }: { readonly of: PolicyReport['refused'] }): JSX.Element {
  return (
    <Panel title="Refused within the last hour">
      {of.length === 0 ? (
        <Empty>Nobody was refused.</Empty>
      ) : (
        <ul class="lines">
          {of.map(({ from, to: target, protocol, port, packets }) => (
            <li key={`${from} ${target} ${protocol} ${port}`}>
              <Badge tone="bad">refused</Badge>
              <b>{from}</b>
              <span class="soft">to</span>
              <b>{target}</b>
              <span>{port === 0 ? protocol : `${protocol}/${port}`}</span>
              <span class="soft end">{count(packets)} packets</span>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  )
}

function Allowed({ of }: { readonly of: PolicyReport['mayTalk'] }): JSX.Element {
  return (
    <Panel title="Allowed">
      {of.length === 0 ? (
        <Empty>There are no applications.</Empty>
      ) : (
        <ul class="lines">
          {of.map(({ from, to: target, ports, rule }) => (
            <li key={`${from} ${target} ${ports} ${rule}`}>
              <b>{from}</b>
              <span class="soft">to</span>
              <b>{target}</b>
              <span>{ports}</span>
              <span class="soft end">{rule}</span>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  )
}
