import { MAX_PAGE } from './limits.ts'
import type { Page, PageRequest } from './port.ts'

/** Names after `after`, in byte order ("Listing Tags" of distribution-spec). */
export function pageOf(names: readonly string[], { after = '', limit }: PageRequest): Page {
  const count = Math.min(limit, MAX_PAGE)
  const following = names.filter((name) => name > after).toSorted((a, b) => (a < b ? -1 : 1))
  return { names: following.slice(0, count), hasMore: following.length > count }
}
