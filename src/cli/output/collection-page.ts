import type { CollectionReport, CollectionRun, Kept, RemovedItem } from '#api/glovebox'
import { formatBytes } from '#base'

import { type Paint, printable } from './colour.ts'
import { renderFields, renderTable } from './table.ts'
import { counted, localTime, roughDuration } from './units.ts'

/** The policy, the disk, and what earlier passes did. */
export function collectionPage(report: CollectionReport, nowMs: number, paint: Paint): string {
  const { disk, minFreeBytes, targetFreeBytes } = report
  const ago = (time: string) => `${roughDuration(nowMs - Date.parse(time))} ago`
  const fields = [
    ['policy', printable(report.policyText).replaceAll('; ', '\n')],
    ['disk', `${formatBytes(disk.availableBytes)} of ${formatBytes(disk.totalBytes)} free`],
    ['makes room', `below ${formatBytes(minFreeBytes)}, until ${formatBytes(targetFreeBytes)} are free`],
    ['last pass', report.lastPassAt === null ? 'none since the daemon started' : ago(report.lastPassAt)],
    ['next pass', report.nextPassAt === null ? 'none' : `in ${roughDuration(Date.parse(report.nextPassAt) - nowMs)}`],
  ] as const
  const runs = report.runs.map((run) => `\n${runPage(run, paint)}`).join('')
  return renderFields(fields) + (runs === '' ? '\nNothing was removed yet.\n' : runs)
}

/** What one pass removed (or would remove) and why. */
export function runPage(run: CollectionRun, paint: Paint): string {
  const what = `${run.isDryRun ? 'would remove' : 'removed'} ${counted(run.removed.length, 'thing')}, ${formatBytes(run.freedBytes)}`
  const head = run.isDryRun ? `A pass now ${what}.` : `${localTime(Date.parse(run.startedAt))}  ${what} (${run.trigger})`
  const failures = run.failures.map((failure) => `${paint('yellow', 'warning:')} ${printable(failure)}\n`).join('')
  return `${head}\n${run.removed.length === 0 ? '' : removedTable(run.removed)}${failures}`
}

function removedTable(removed: readonly RemovedItem[]): string {
  return renderTable(
    [{ title: 'KIND' }, { title: 'ID' }, { title: 'NAME' }, { title: 'SIZE', align: 'right' }, { title: 'WHY' }],
    removed.map(({ kind, id, names, bytes, why }) => [
      kind,
      shortName(id),
      printable(names.join(', ') || '<none>'),
      formatBytes(bytes),
      printable(why),
    ]),
  )
}

export function keptTable(kept: readonly Kept[]): string {
  if (kept.length === 0) return ''
  return `\nStays:\n${renderTable(
    [{ title: 'ID' }, { title: 'NAME' }, { title: 'WHY' }],
    kept.map(({ id, names, why }) => [shortName(id), printable(names.join(', ') || '<none>'), printable(why)]),
  )}`
}

function shortName(id: string): string {
  return printable(id.replace(/^sha256:/, '').slice(0, 12))
}
