/**
 * Metrics: what is counted as it happens and what is looked up when somebody asks, in one registry; the texts in which Prometheus reads them, both ways; and the
 * selectors by which series are asked for. Series are bounded, and whoever is at a bound says so.
 */
export { metricError } from './errors.ts'
export { familyWriters, type FamilyWriter } from './family.ts'
export { histogramSamples, type Counter, type Distribution, type Gauge } from './instruments.ts'
export { joinLabels, labelsOf, labelText } from './labels.ts'
export type * from './model.ts'
export { METRIC_NAME } from './names.ts'
export { readText } from './read-text.ts'
export { createRegistry, MAX_SERIES, type MetricRegistry, type MetricSource, type Reading, type Wish } from './registry.ts'
export { parseSelector, selects, type Selector } from './selector.ts'
export { CONTENT_TYPES, formatFor, writeText, type TextFormat } from './write-text.ts'
