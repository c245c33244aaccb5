/** Lets so many works run at a time; the others wait for their turn, in order. */
export interface Limiter {
  run<T>(work: () => Promise<T>): Promise<T>
}

export function limiter(atOnce: number): Limiter {
  let free = atOnce
  const waiting: (() => void)[] = []
  return {
    run: async (work) => {
      if (free > 0) free -= 1
      else await new Promise<void>((resolve) => waiting.push(resolve))
      try {
        return await work()
      } finally {
        const next = waiting.shift()
        if (next === undefined) free += 1
        else next()
      }
    },
  }
}
