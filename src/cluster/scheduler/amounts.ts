/** Numbers of all nodes, side by side: what is looked at for each node and each group. Indexed by slot. */
export interface Amounts {
  nanoCpus: Float64Array
  memoryBytes: Float64Array
  freeNanoCpus: Float64Array
  freeMemoryBytes: Float64Array
  /** Tasks of every service. */
  tasks: Float64Array
  rank: Float64Array
}

const FIRST_SLOTS = 64

export function emptyAmounts(): Amounts {
  return {
    nanoCpus: new Float64Array(FIRST_SLOTS),
    memoryBytes: new Float64Array(FIRST_SLOTS),
    freeNanoCpus: new Float64Array(FIRST_SLOTS),
    freeMemoryBytes: new Float64Array(FIRST_SLOTS),
    tasks: new Float64Array(FIRST_SLOTS),
    rank: new Float64Array(FIRST_SLOTS),
  }
}

/** Room for a slot. */
export function reach(amounts: Amounts, slot: number): void {
  if (slot < amounts.rank.length) return
  const grown = (old: Float64Array) => {
    const next = new Float64Array(Math.max(old.length * 2, slot + 1))
    next.set(old)
    return next
  }
  amounts.nanoCpus = grown(amounts.nanoCpus)
  amounts.memoryBytes = grown(amounts.memoryBytes)
  amounts.freeNanoCpus = grown(amounts.freeNanoCpus)
  amounts.freeMemoryBytes = grown(amounts.freeMemoryBytes)
  amounts.tasks = grown(amounts.tasks)
  amounts.rank = grown(amounts.rank)
}

export function clearSlot(amounts: Amounts, slot: number): void {
  for (const numbers of Object.values(amounts) as Float64Array[]) numbers[slot] = 0
}
