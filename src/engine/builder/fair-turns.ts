/** Lets so many works run at a time. Owners that wait take turns: one with fifty works does not keep another with one waiting for all of them. */
export interface FairTurns {
  run<T>(owner: object, work: () => Promise<T>): Promise<T>
}

export function fairTurns(atOnce: number): FairTurns {
  let free = atOnce
  // In the order in which owners are next; each has one waiting work at least.
  const queues = new Map<object, (() => void)[]>()
  const wait = async (owner: object): Promise<void> => {
    await new Promise<void>((resolve) => {
      const queue = queues.get(owner)
      if (queue === undefined) queues.set(owner, [resolve])
      else queue.push(resolve)
    })
  }
  const pass = (): void => {
    const [next] = queues
    if (next === undefined) {
      free += 1
      return
    }
    const [owner, queue] = next
    const begin = queue.shift()
    // Behind the others, or out.
    queues.delete(owner)
    if (queue.length > 0) queues.set(owner, queue)
    begin?.()
  }
  return {
    run: async (owner, work) => {
      if (free > 0) free -= 1
      else await wait(owner)
      try {
        return await work()
      } finally {
        pass()
      }
    },
  }
}
