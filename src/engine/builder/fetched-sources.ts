/** What one build has fetched: each thing once, and all of it gone with the build. */
export interface FetchedSources extends AsyncDisposable {
  /** The first that asks for a name fetches; what it opens on the stack stays until the build ends. A failure is not kept. */
  once<T>(name: string, fetch: (open: AsyncDisposableStack) => Promise<T>): Promise<T>
}

export function fetchedSources(): FetchedSources {
  const open = new AsyncDisposableStack()
  const known = new Map<string, Promise<unknown>>()
  return {
    once: async <T>(name: string, fetch: (open: AsyncDisposableStack) => Promise<T>): Promise<T> => {
      const found = known.get(name) as Promise<T> | undefined
      if (found !== undefined) return await found
      const fetching = fetch(open)
      known.set(name, fetching)
      try {
        return await fetching
      } catch (error) {
        known.delete(name)
        throw error
      }
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  }
}
