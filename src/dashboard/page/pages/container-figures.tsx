import type { JSX } from 'preact'

import type { LiveContainer, LiveSample } from '#dashboard/wire'

import { useApp, useLive } from '../base/app-context.ts'
import { bytes, percent, rate } from '../base/format.ts'
import { Empty, Panel } from '../parts/panel.tsx'
import type { Series } from '../parts/plot-props.ts'
import { Plot } from '../parts/plot.tsx'

const SECOND = 1000

/** What a container uses, since the page was opened. */
export function ContainerFigures({ container }: { readonly container: LiveContainer }): JSX.Element {
  useLive('samples')
  const samples = useApp().live.recent.of(container.id)
  if (samples.length === 0)
    return <Empty>{container.state === 'running' ? 'The first figures come in a moment.' : 'It does not run.'}</Empty>
  const times = samples.map(({ atMs }) => atMs / SECOND)
  const series = (title: string, tone: Series['tone'], of: (sample: LiveSample) => number | null): Series => ({
    title,
    tone,
    values: samples.map(of),
  })
  const last = samples.at(-1)
  return (
    <div class="plots">
      <Panel title="Processor" aside={percent(last?.cpus ?? null)}>
        <Plot
          label="Processor"
          times={times}
          format={percent}
          series={[series('one CPU is 100%', 'first', ({ cpus }) => cpus)]}
        />
      </Panel>
      <Panel title="Memory" aside={last === undefined ? '' : `${bytes(last.memoryBytes)} of ${bytes(last.memoryLimitBytes)}`}>
        <Plot
          label="Memory"
          times={times}
          isBytes
          format={bytes}
          series={[series('without what can be dropped', 'first', ({ memoryBytes }) => memoryBytes)]}
        />
      </Panel>
      <Panel title="Network" aside={`${rate(last?.rxBytesPerS ?? null)} in, ${rate(last?.txBytesPerS ?? null)} out`}>
        <Plot
          label="Network"
          times={times}
          isBytes
          format={rate}
          series={[
            series('in', 'first', ({ rxBytesPerS }) => rxBytesPerS),
            series('out', 'second', ({ txBytesPerS }) => txBytesPerS),
          ]}
        />
      </Panel>
      <Panel title="Disk" aside={`${rate(last?.readBytesPerS ?? null)} read, ${rate(last?.writeBytesPerS ?? null)} written`}>
        <Plot
          label="Disk"
          times={times}
          isBytes
          format={rate}
          series={[
            series('read', 'first', ({ readBytesPerS }) => readBytesPerS),
            series('written', 'second', ({ writeBytesPerS }) => writeBytesPerS),
          ]}
        />
      </Panel>
    </div>
  )
}
