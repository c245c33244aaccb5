/**
 * What containers tell of themselves: those that want it by their labels are asked over http, inside their own network, when somebody asks here. Texts are read in full before a line of them is passed on; what is no
 * such text is refused with the line and the reason.
 */
export { scrapeError } from './errors.ts'
export { createScraping, type FetchText, type Scraping, type ScrapingPorts, type TargetStatus } from './scraping.ts'
export { SCRAPE_LABELS, type Candidate, type ScrapeTarget } from './targets.ts'
