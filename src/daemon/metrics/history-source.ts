import type { HistoryWriter } from '#observe/history'
import { familyWriters, type MetricSource } from '#observe/metrics'

const SPECS = {
  series: { name: 'glovebox_history_series', type: 'gauge', help: 'Series in the history, also of what has ended.' },
  refused: {
    name: 'glovebox_history_series_refused_total',
    type: 'counter',
    help: 'Samples that the history did not take, for it had as many series as it may.',
  },
  used: { name: 'glovebox_history_used_bytes', type: 'gauge', help: 'What the history takes of its file.' },
  limit: { name: 'glovebox_history_limit_bytes', type: 'gauge', help: 'What it may take: less of the past is kept then.' },
  samples: { name: 'glovebox_history_samples_total', type: 'counter', help: 'Samples that the history took.' },
  written: { name: 'glovebox_history_journal_bytes_total', type: 'counter', help: 'Bytes that it wrote of them at first.' },
} as const

export function historySource(history: Pick<HistoryWriter, 'facts'>): MetricSource {
  return {
    name: 'history',
    read: (wish) => {
      if (wish === 'history') return []
      const { of, families } = familyWriters(SPECS)
      const facts = history.facts()
      of.series.set('', facts.series)
      of.refused.set('', facts.refused)
      of.used.set('', facts.usedBytes)
      of.limit.set('', facts.maxBytes)
      of.samples.set('', facts.samples)
      of.written.set('', facts.samplesBytes)
      return families()
    },
  }
}
