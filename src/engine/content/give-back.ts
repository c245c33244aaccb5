/**
 * For sources whose chunks belong to nobody else, such as the body of a request: the memory of a chunk is given back when the next one is asked
 * for, so that whoever reads must have done with it then. Left to the garbage collector, hundreds of megabytes gather, and each of the many
 * collections that they bring about walks the whole heap. `isOver` says whether a chunk is the last that its memory is for.
 */
export function givingBack(
  source: AsyncIterable<Uint8Array>,
  isOver: (chunk: Uint8Array) => boolean = isWhole,
): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]: () => {
      const iterator = source[Symbol.asyncIterator]()
      let last: Uint8Array | undefined
      const keep = (result: IteratorResult<Uint8Array>) => {
        last = result.done === true ? undefined : result.value
        return result
      }
      return {
        next: () => {
          if (last !== undefined && last.buffer instanceof ArrayBuffer && isOver(last)) last.buffer.transfer(0)
          last = undefined
          return iterator.next().then(keep)
        },
        // Whoever stops in the middle may have left the last chunk to a thread: that one is the collector's.
        return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
      }
    },
  }
}

/** Small chunks are cut from a block that others use too. */
function isWhole({ buffer, byteLength }: Uint8Array): boolean {
  return buffer.byteLength === byteLength
}
