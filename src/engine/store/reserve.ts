import { rmSync, statSync, writeFileSync } from 'node:fs'

/** Room for some hundred records, which a removal needs before it can free anything. */
const RESERVE_BYTES = 1024 * 1024

/** A file that takes space on the disk until the last bytes of it are wanted: a full disk must not keep anybody from making room. */
export interface Reserve {
  /** True when there was space to give, and it is free now. */
  give(): boolean
  /** Takes the space again if it was given and there is some. Never fails. */
  renew(): void
}

export function openReserve(path: string): Reserve {
  const isThere = () => statSync(path, { throwIfNoEntry: false })?.size === RESERVE_BYTES
  let isKept = isThere()
  const reserve: Reserve = {
    give: () => {
      if (!isKept) return false
      isKept = false
      rmSync(path, { force: true })
      return true
    },
    renew: () => {
      if (isKept) return
      try {
        // Written, not only made longer: holes take no space.
        writeFileSync(path, Buffer.alloc(RESERVE_BYTES), { mode: 0o600 })
        isKept = isThere()
      } catch {
        rmSync(path, { force: true })
      }
    },
  }
  reserve.renew()
  return reserve
}
