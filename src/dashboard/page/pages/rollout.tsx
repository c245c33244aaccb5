import type { JSX } from 'preact'

import type { RolloutRecord } from '#api/glovebox'
import type { LiveRouteRate, LiveService } from '#dashboard/wire'

import { useLive } from '../base/app-context.ts'
import { titleOf } from '../base/tones.ts'
import { figure, percent } from '../base/format.ts'
import { Ago } from '../parts/ago.tsx'
import { Badge, type Tone } from '../parts/badge.tsx'
import { Panel } from '../parts/panel.tsx'

const TONES: Readonly<Record<RolloutRecord['state'], Tone>> = {
  running: 'busy',
  paused: 'warn',
  completed: 'good',
  failed: 'bad',
  'rolling-back': 'warn',
  'rolled-back': 'warn',
  aborted: 'idle',
}
const VERDICTS = { good: 'good', bad: 'bad', 'too-little': 'idle' } as const

/** The change from one revision to another: how far it is, how the traffic is shared, and how the two compare. */
export function Rollout({ service, rollout }: { readonly service: LiveService; readonly rollout: RolloutRecord }): JSX.Element {
  const { from, to, state, weightPercent, reason, endedAtMs, startedAtMs } = rollout
  const isOver = endedAtMs !== null
  return (
    <Panel
      title={from === null ? `Rollout of revision ${to}` : `Rollout from revision ${from} to ${to}`}
      aside={
        <span class="checks">
          <span>{service.strategy}</span>
          <span>
            {isOver ? 'ended ' : 'began '}
            <Ago atMs={endedAtMs ?? startedAtMs} />
          </span>
          <Badge tone={TONES[state]}>{state}</Badge>
        </span>
      }
    >
      <div class="pad rollout">
        {reason !== '' && <p>{reason}</p>}
        {!isOver && weightPercent !== null && <Shares old={from} next={to} weight={weightPercent} />}
        {!isOver && service.steps.length > 0 && <Steps of={service.steps} at={rollout.step} />}
        {!isOver && <Compared service={service} old={from} next={to} />}
      </div>
      {rollout.judgements.length > 0 && (
        <ol class="lines" aria-label="Judgements">
          {rollout.judgements.toReversed().map((judgement) => (
            <li key={`${judgement.atMs} ${judgement.step}`}>
              <Badge tone={VERDICTS[judgement.verdict]}>{judgement.verdict.replace('-', ' ')}</Badge>
              <span class="soft">step {judgement.step + 1}</span>
              <span class="text">{judgement.reason}</span>
              <span class="soft end">
                <Ago atMs={judgement.atMs} />
              </span>
            </li>
          ))}
        </ol>
      )}
    </Panel>
  )
}

function Shares({
  old,
  next,
  weight,
}: {
  readonly old: number | null
  readonly next: number
  readonly weight: number
}): JSX.Element {
  return (
    <div class="shares" role="img" aria-label={`Revision ${next} gets ${weight}% of the traffic`}>
      <div class="old" style={{ flexGrow: 100 - weight }}>
        {weight < 95 && `revision ${old ?? '–'}: ${100 - weight}%`}
      </div>
      <div class="new" style={{ flexGrow: weight }}>
        {weight > 5 && `revision ${next}: ${weight}%`}
      </div>
    </div>
  )
}

function Steps({ of, at }: { readonly of: readonly number[]; readonly at: number }): JSX.Element {
  return (
    <ol class="steps">
      {[...of, 100].map((weight, index) => (
        <li key={weight} class={index < at ? 'done' : index === at ? 'now' : ''} aria-current={index === at ? 'step' : undefined}>
          {weight}%
        </li>
      ))}
    </ol>
  )
}

/** What clients see of the old revision and of the new one. */
function Compared({
  service,
  old,
  next,
}: {
  readonly service: LiveService
  readonly old: number | null
  readonly next: number
}): JSX.Element | null {
  const { routes } = useLive('routes')
  const rates = [...routes.values()].filter(({ id }) => id.startsWith(`${titleOf(service)}/`)).flatMap((route) => route.rates)
  const rows = [
    { title: `revision ${old ?? '–'}`, rate: sumOf(rates, `r${old}`) },
    { title: `revision ${next}`, rate: sumOf(rates, `r${next}`) },
  ]
  if (rows.every(({ rate }) => rate === undefined)) return null
  return (
    <table class="compared">
      <thead>
        <tr>
          <th scope="col">Now</th>
          <th scope="col">Requests</th>
          <th scope="col">Errors</th>
          <th scope="col">Median</th>
          <th scope="col">99%</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ title, rate }) => (
          <tr key={title}>
            <th scope="row">{title}</th>
            <td>{rate === undefined ? '–' : `${figure(rate.requestsPerS)}/s`}</td>
            <td class={(rate?.errorRatio ?? 0) > 0.01 ? 'bad' : ''}>{rate === undefined ? '–' : percent(rate.errorRatio)}</td>
            <td>{milliseconds(rate?.p50Ms)}</td>
            <td>{milliseconds(rate?.p99Ms)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function milliseconds(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : `${figure(value)} ms`
}

function sumOf(rates: readonly LiveRouteRate[], group: string): LiveRouteRate | undefined {
  const own = rates.filter((rate) => rate.group === group)
  if (own.length === 0) return undefined
  const requestsPerS = own.reduce((sum, rate) => sum + rate.requestsPerS, 0)
  const errors = own.reduce((sum, rate) => sum + rate.requestsPerS * rate.errorRatio, 0)
  const most = (key: 'p50Ms' | 'p99Ms') =>
    own.reduce<number | null>((found, rate) => (rate[key] === null ? found : Math.max(found ?? 0, rate[key])), null)
  return {
    group,
    requestsPerS,
    errorRatio: requestsPerS === 0 ? 0 : errors / requestsPerS,
    p50Ms: most('p50Ms'),
    p99Ms: most('p99Ms'),
  }
}
