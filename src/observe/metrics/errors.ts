import { declareErrors } from '#base'

export const metricError = declareErrors({
  'metrics.declaration_invalid': 'internal',
  'metrics.exposition_invalid': 'invalid',
  'metrics.selector_invalid': 'invalid',
})
