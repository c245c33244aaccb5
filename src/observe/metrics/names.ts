/** Prometheus data model: names of metrics and of labels. */
export const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
export const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/

/** Base units, and words that stand where a unit would for what has none. */
export const COUNTER_SUFFIX = '_total'
