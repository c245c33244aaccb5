import type { JSX } from 'preact'
import { useState } from 'preact/hooks'

import type { LiveContainer, LiveSample } from '#dashboard/wire'

import { useLive } from '../base/app-context.ts'
import { bytes, count, duration, percent, shortImage } from '../base/format.ts'
import { to } from '../base/place.ts'
import { containerShown } from '../base/tones.ts'
import { useNow } from '../parts/ago.tsx'
import { Badge } from '../parts/badge.tsx'
import { Choice } from '../parts/choice.tsx'
import { PageHead } from '../parts/panel.tsx'
import { matches, SearchField } from '../parts/search-field.tsx'
import { Table, type Column } from '../parts/table.tsx'

interface Row {
  readonly container: LiveContainer
  readonly sample: LiveSample | undefined
}

const SHOWN = ['running', 'all', 'troubled'] as const
type Shown = (typeof SHOWN)[number]

export function Containers(): JSX.Element {
  const { containers, samples } = useLive('containers', 'samples')
  const [words, setWords] = useState('')
  const [shown, setShown] = useState<Shown>('all')
  const now = useNow()
  const rows = [...containers.values()]
    .filter((container) => isShown(container, shown))
    .filter(
      ({ name, image, stack, service, id }) =>
        words === '' || matches(`${name} ${image} ${stack ?? ''} ${service ?? ''} ${id}`, words),
    )
    .map((container) => ({ container, sample: samples.get(container.id) }))
  return (
    <>
      <PageHead title="Containers" over={`${count(rows.length)} of ${count(containers.size)}`}>
        <SearchField label="Find a container" value={words} onInput={setWords} />
        <Choice label="Which" of={SHOWN} value={shown} onChoose={setShown} />
      </PageHead>
      <div class="panel">
        <Table
          label="Containers"
          rows={rows}
          columns={columns(now)}
          rowKey={({ container }) => container.id}
          href={({ container }) => to('containers', container.id)}
          sortedBy="name"
          empty={containers.size === 0 ? 'There is no container yet.' : 'No container is like that.'}
        />
      </div>
    </>
  )
}

function isShown(container: LiveContainer, shown: Shown): boolean {
  if (shown === 'all') return true
  if (shown === 'running') return container.state === 'running'
  return ['bad', 'warn'].includes(containerShown(container).tone)
}

function columns(now: number): readonly Column<Row>[] {
  return [
    {
      key: 'name',
      title: 'Name',
      width: 'minmax(96px, 2fr)',
      cell: ({ container }) => container.name,
      sort: ({ container }) => container.name,
    },
    {
      key: 'state',
      title: 'State',
      width: '128px',
      cell: ({ container }) => {
        const { tone, text } = containerShown(container)
        return <Badge tone={tone}>{text}</Badge>
      },
      sort: ({ container }) => containerShown(container).text,
    },
    {
      key: 'app',
      title: 'Application',
      width: 'minmax(90px, 1fr)',
      cell: ({ container }) => container.stack ?? <span class="soft">–</span>,
      sort: ({ container }) => container.stack ?? '',
      isExtra: true,
    },
    {
      key: 'image',
      title: 'Image',
      width: 'minmax(110px, 1.4fr)',
      cell: ({ container }) => shortImage(container.image),
      sort: ({ container }) => shortImage(container.image),
      isExtra: true,
    },
    {
      key: 'cpu',
      title: 'CPU',
      width: '72px',
      cell: ({ sample }) => percent(sample?.cpus ?? null),
      sort: ({ sample }) => sample?.cpus ?? -1,
      isNumber: true,
    },
    {
      key: 'memory',
      title: 'Memory',
      width: '88px',
      cell: ({ sample }) => (sample === undefined ? '–' : bytes(sample.memoryBytes)),
      sort: ({ sample }) => sample?.memoryBytes ?? -1,
      isNumber: true,
      isExtra: true,
    },
    {
      key: 'age',
      title: 'Up',
      width: '68px',
      cell: ({ container }) => (container.state === 'running' ? duration(now - Date.parse(container.startedAt)) : '–'),
      sort: ({ container }) => container.startedAt,
      isNumber: true,
      isExtra: true,
    },
  ]
}
