import type { ByteSource } from './decompress.ts'

/**
 * For sources whose chunks belong to nobody else, such as the body of a request: the memory of a chunk is given back when the next one is asked
 * for. Left to the garbage collector, hundreds of megabytes gather, and each collection that they bring about walks the whole heap.
 */
export function givingBack(source: AsyncIterable<Uint8Array>): ByteSource {
  return {
    [Symbol.asyncIterator]: () => {
      const iterator = source[Symbol.asyncIterator]()
      let last: Uint8Array | undefined
      const keep = (result: IteratorResult<Uint8Array>) => {
        last = result.done === true ? undefined : result.value
        return result
      }
      const giveBack = () => {
        const { buffer } = last ?? {}
        // Small ones are cut from a block that others use too.
        if (buffer instanceof ArrayBuffer && buffer.byteLength === last?.byteLength) buffer.transfer(0)
        last = undefined
      }
      return {
        next: () => {
          giveBack()
          return iterator.next().then(keep)
        },
        return: async () => {
          giveBack()
          return (await iterator.return?.()) ?? { done: true, value: undefined }
        },
      }
    },
  }
}
