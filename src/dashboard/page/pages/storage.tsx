import type { JSX } from 'preact'
import { useState } from 'preact/hooks'

import type { CollectionReport } from '#api/glovebox'

import { useApp, useLive } from '../base/app-context.ts'
import { bytes, count, duration, percent, shortId } from '../base/format.ts'
import { Action } from '../parts/action.tsx'
import { useNow } from '../parts/ago.tsx'
import { show, useAsked } from '../parts/loaded.tsx'
import { Meter } from '../parts/meter.tsx'
import { PageHead, Panel } from '../parts/panel.tsx'
import { matches, SearchField } from '../parts/search-field.tsx'
import { Table, type Column } from '../parts/table.tsx'

const EVERY_MS = 10_000
const SECOND = 1000

/** What of `GET /images/json` is shown. */
interface ImageSummary {
  readonly Id: string
  readonly RepoTags: readonly string[] | null
  /** Seconds since 1970. */
  readonly Created: number
  readonly Size: number
}

/** What of `GET /system/df` is shown. */
interface DiskUsage {
  readonly LayersSize: number
  readonly Containers: readonly { readonly SizeRw?: number }[] | null
  readonly Volumes:
    | readonly { readonly Name: string; readonly UsageData?: { readonly Size: number; readonly RefCount: number } | null }[]
    | null
  readonly BuildCache: readonly { readonly Size: number }[] | null
}

/** Images, volumes, and what they take of the disk. */
export function Storage(): JSX.Element {
  const images = useAsked<readonly ImageSummary[]>('/docker/images/json', EVERY_MS)
  const [words, setWords] = useState('')
  return (
    <>
      <PageHead title="Images and disk">
        <SearchField label="Find an image" value={words} onInput={setWords} />
      </PageHead>
      <Disk />
      {show(images, (all) => {
        const rows = all.filter(({ RepoTags, Id }) => words === '' || matches(`${(RepoTags ?? []).join(' ')} ${Id}`, words))
        return (
          <Panel title="Images" aside={`${rows.length} of ${all.length}`}>
            <ImageTable rows={rows} />
          </Panel>
        )
      })}
      <Volumes />
    </>
  )
}

function Disk(): JSX.Element {
  const { http } = useApp()
  const { host } = useLive('host')
  const now = useNow()
  const usage = useAsked<DiskUsage>('/docker/system/df', EVERY_MS)
  const garbage = useAsked<CollectionReport>('/glovebox/v1/gc', EVERY_MS)
  const self = host.get('self')
  const part = self === undefined ? null : 1 - self.diskFreeBytes / self.diskBytes
  const sum = (list: readonly (number | undefined)[]) => list.reduce<number>((all, one) => all + (one ?? 0), 0)
  const last = garbage.state === 'there' ? garbage.value.lastPassAt : null
  return (
    <Panel
      title="Disk"
      aside={
        <span class="checks">
          {last !== null && <span>cleaned {duration(now - Date.parse(last))} ago</span>}
          <Action
            title="Clean up now"
            role="admin"
            confirm="Images and build results that nothing has used for as long as the policy says are removed."
            done="What was unused is removed"
            run={async () => await http.json('POST', '/glovebox/v1/gc')}
          />
        </span>
      }
    >
      <div class="pad gauges">
        <div>
          <span>File system</span>
          <b>{percent(part)}</b>
          <span class="soft">{self === undefined ? '' : `${bytes(self.diskFreeBytes)} of ${bytes(self.diskBytes)} free`}</span>
          <Meter part={part} label="Disk in use" />
        </div>
        {usage.state === 'there' && (
          <>
            <Figure title="Layers of images" value={usage.value.LayersSize} />
            <Figure title="Written by containers" value={sum((usage.value.Containers ?? []).map(({ SizeRw }) => SizeRw))} />
            <Figure title="Volumes" value={sum((usage.value.Volumes ?? []).map(({ UsageData }) => UsageData?.Size))} />
            <Figure title="Build cache" value={sum((usage.value.BuildCache ?? []).map(({ Size }) => Size))} />
          </>
        )}
      </div>
      {garbage.state === 'there' && <p class="note pad">What goes by itself: {garbage.value.policyText}.</p>}
    </Panel>
  )
}

function Figure({ title, value }: { readonly title: string; readonly value: number }): JSX.Element {
  return (
    <div>
      <span>{title}</span>
      <b>{bytes(value)}</b>
    </div>
  )
}

function ImageTable({ rows }: { readonly rows: readonly ImageSummary[] }): JSX.Element {
  const now = useNow()
  const { http } = useApp()
  const { containers } = useLive('containers')
  const users = new Map<string, number>()
  for (const { imageId } of containers.values()) users.set(imageId, (users.get(imageId) ?? 0) + 1)
  const nameOf = ({ RepoTags, Id }: ImageSummary) => RepoTags?.[0] ?? `${shortId(Id)} (no name)`
  const columns: readonly Column<ImageSummary>[] = [
    { key: 'name', title: 'Name', width: 'minmax(110px, 2fr)', cell: (image) => <b>{nameOf(image)}</b>, sort: nameOf },
    { key: 'id', title: 'Id', width: '120px', cell: ({ Id }) => <code>{shortId(Id)}</code>, isExtra: true },
    { key: 'size', title: 'Size', width: '84px', cell: ({ Size }) => bytes(Size), sort: ({ Size }) => Size, isNumber: true },
    {
      key: 'age',
      title: 'Made',
      width: '80px',
      cell: ({ Created }) => (Created <= 0 ? '–' : `${duration(now - Created * SECOND)} ago`),
      sort: ({ Created }) => -Created,
      isNumber: true,
      isExtra: true,
    },
    {
      key: 'users',
      title: 'Containers',
      width: '92px',
      cell: ({ Id }) => count(users.get(Id) ?? 0),
      sort: ({ Id }) => users.get(Id) ?? 0,
      isNumber: true,
    },
    {
      key: 'remove',
      title: 'Action',
      width: '96px',
      cell: (image) =>
        users.has(image.Id) ? null : (
          <Action
            title="Remove"
            role="admin"
            isDangerous
            confirm={`${nameOf(image)} is removed from this machine.`}
            done={`${nameOf(image)} is removed`}
            run={async () => await http.json('DELETE', `/docker/images/${encodeURIComponent(image.RepoTags?.[0] ?? image.Id)}`)}
          />
        ),
      isNumber: true,
      isExtra: true,
    },
  ]
  return (
    <Table label="Images" rows={rows} columns={columns} rowKey={({ Id }) => Id} sortedBy="name" empty="There is no image yet." />
  )
}

function Volumes(): JSX.Element {
  const usage = useAsked<DiskUsage>('/docker/system/df', EVERY_MS)
  return show(usage, ({ Volumes: volumes }) => (
    <Panel title="Volumes" aside={String((volumes ?? []).length)}>
      <Table
        label="Volumes"
        rows={volumes ?? []}
        columns={VOLUME_COLUMNS}
        rowKey={({ Name }) => Name}
        sortedBy="name"
        empty="There is no volume yet."
      />
    </Panel>
  ))
}

type Volume = NonNullable<DiskUsage['Volumes']>[number]

const VOLUME_COLUMNS: readonly Column<Volume>[] = [
  { key: 'name', title: 'Name', width: 'minmax(110px, 2fr)', cell: ({ Name }) => <b>{Name}</b>, sort: ({ Name }) => Name },
  {
    key: 'size',
    title: 'Size',
    width: '90px',
    cell: ({ UsageData }) => (UsageData === null || UsageData === undefined ? '–' : bytes(UsageData.Size)),
    sort: ({ UsageData }) => UsageData?.Size ?? 0,
    isNumber: true,
  },
  {
    key: 'users',
    title: 'Containers',
    width: '92px',
    cell: ({ UsageData }) => UsageData?.RefCount ?? '–',
    sort: ({ UsageData }) => UsageData?.RefCount ?? 0,
    isNumber: true,
  },
]
