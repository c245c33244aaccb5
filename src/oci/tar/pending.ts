import type { ByteString } from './bytes.ts'
import type { PaxOverrides } from './pax.ts'

/** What extended headers have said about the next entry. */
export interface Pending {
  pax: PaxOverrides | undefined
  longName: ByteString | undefined
  longLink: ByteString | undefined
  headerOffset: number
}
