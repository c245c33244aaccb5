import { messageOf, type Log } from '#base'

import { changeScript, standingAfter, wholeScript, type Ruleset } from './ruleset.ts'

/** What is needed of nftables. */
export interface NftPort {
  /** One transaction, all or nothing. */
  apply(script: string): Promise<void>
  /** Names of the tables of family `inet`. */
  tables(): Promise<readonly string[]>
  /** Absent is fine. */
  deleteTable(name: string): Promise<void>
}

export interface TableKeeper {
  /** Resolves when the kernel has this, or something that was asked for later; null: no table at all. Rejects with nft's word. */
  bring(wanted: Ruleset | null): Promise<void>
  /** Somebody may have flushed the rules of the host: if the table is not there, the next `bring` writes all of it. */
  verify(): Promise<void>
}

export interface TableNeeds {
  readonly nft: NftPort
  readonly table: string
  readonly log: Log
}

/** Changes go to the kernel one after another; whoever asks while one is under way shares the next with the others. */
export function keepTable({ nft, table, log }: TableNeeds): TableKeeper {
  /** null: no table; undefined: nobody knows. */
  let standing: Ruleset | null | undefined
  let latest: Ruleset | null = null
  let running: Promise<void> = Promise.resolve()
  let next: Promise<void> | undefined

  const write = async (wanted: Ruleset | null) => {
    const before = standing
    standing = undefined
    if (wanted !== null)
      standing = before === undefined || before === null ? await writeWhole(wanted) : await writeChange(before, wanted)
    else {
      if (before !== null) await nft.deleteTable(table)
      standing = null
    }
  }
  const writeWhole = async (wanted: Ruleset) => {
    await nft.apply(wholeScript(table, wanted))
    return wanted
  }
  const writeChange = async (before: Ruleset, wanted: Ruleset) => {
    const script = changeScript(table, before, wanted)
    try {
      if (script !== '') await nft.apply(script)
      return standingAfter(before, wanted)
    } catch (error) {
      // Somebody changed our table (a flushed rule set): what should be there is known, so write all of it.
      log.warn('change a table of nftables; the whole table is written instead', { table, error: messageOf(error) })
      return await writeWhole(wanted)
    }
  }
  return {
    bring: (wanted) => {
      latest = wanted
      next ??= running
        .catch(() => undefined)
        .then(() => {
          running = next ?? running
          next = undefined
          return write(latest)
        })
      return next
    },
    verify: async () => {
      if (standing === undefined || standing === null) return
      if (!(await nft.tables()).includes(table)) standing = undefined
    },
  }
}
