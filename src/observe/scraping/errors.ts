import { declareErrors } from '#base'

/** Why a container's own metrics were not taken. */
export const scrapeError = declareErrors({
  'scrape.target_invalid': 'invalid',
  'scrape.unreachable': 'unavailable',
  'scrape.timeout': 'timeout',
  'scrape.refused': 'unavailable',
  'scrape.too_large': 'exhausted',
})
