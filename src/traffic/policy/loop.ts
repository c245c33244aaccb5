import { messageOf, type Clock, type Log } from '#base'
import { keepTable, type NftPort } from '#traffic/ruleset'

import { attemptSets, readAttempts } from './attempts.ts'
import type { Numbers } from './numbers.ts'
import { planPolicy } from './plan.ts'
import type { PolicedStack, PolicySource, RefusedAttempt } from './port.ts'

/** Who may talk to whom, kept in the kernel as the source says. The rules stay when the daemon ends. */
export interface Policy extends AsyncDisposable {
  /** Resolves once the kernel judges by what the source says now. Rejects when it does not take it. */
  settle(): Promise<void>
  stacks(): readonly PolicedStack[]
  /** Refused within the last hour, most frequent first. */
  attempts(): Promise<readonly RefusedAttempt[]>
}

export interface PolicyNeeds {
  readonly source: PolicySource
  readonly nft: NftPort & {
    /** One set of a table as it is printed; undefined: not there. */
    listSet(table: string, set: string): Promise<string | undefined>
  }
  readonly table: string
  readonly clock: Clock
  readonly log: Log
}

/** Events of the source drive the loop; this catches those that were lost, and a table that somebody flushed. */
const SLOW_ROUND_MS = 15_000
/** nftables or the source refuse. */
const BROKEN_ROUND_MS = 1000

export function startPolicy({ source, nft, table, clock, log }: PolicyNeeds): Policy {
  const keeper = keepTable({ nft, table, log })
  let numbers: Numbers = new Map()
  let stacks: readonly PolicedStack[] = []
  let running: Promise<void> = Promise.resolve()
  let next: Promise<void> | undefined
  let isClosed = false
  let timer: Disposable | undefined

  const oneRound = async () => {
    timer?.[Symbol.dispose]()
    let againMs = BROKEN_ROUND_MS
    try {
      stacks = await source.stacks()
      const plan = planPolicy(stacks, numbers)
      numbers = plan.numbers
      await keeper.bring(plan.ruleset)
      againMs = SLOW_ROUND_MS
    } finally {
      if (!isClosed && next === undefined) timer = clock.after(againMs, slowRound)
    }
  }
  const settle = (): Promise<void> => {
    next ??= running
      .catch(() => undefined)
      .then(() => {
        running = next ?? running
        next = undefined
        return isClosed ? undefined : oneRound()
      })
    return next
  }
  const inBackground = (work: Promise<void>) => {
    work.catch((error: unknown) => log.error('bring the policy to the kernel', { error: messageOf(error) }))
  }
  const slowRound = () => inBackground(keeper.verify().then(settle))
  const events = source.listen(() => inBackground(settle()))
  return {
    settle,
    stacks: () => stacks,
    attempts: async () => {
      const listings = await Promise.all(attemptSets().map((set) => nft.listSet(table, set)))
      return readAttempts(listings.join('\n'), stacks)
    },
    [Symbol.asyncDispose]: async () => {
      isClosed = true
      events[Symbol.dispose]()
      timer?.[Symbol.dispose]()
      await (next ?? running).catch(() => undefined)
    },
  }
}
