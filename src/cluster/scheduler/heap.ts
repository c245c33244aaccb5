/** A binary heap on a plain array: the first element is the one that comes before all others. `before` must be a total order. */
export type Before<T> = (a: T, b: T) => boolean

/** A heap whose elements only ever move back, which is found out when they come first. */
export interface LazyHeap {
  readonly slots: number[]
  readonly before: Before<number>
  /** True: what the element is compared by has changed. */
  refresh(slot: number): boolean
}

export function heapify<T>(items: T[], before: Before<T>): void {
  for (let at = (items.length >> 1) - 1; at >= 0; at -= 1) siftDown(items, at, before)
}

/** Puts right the element at `at` after it came to stand further behind. */
export function siftDown<T>(items: T[], at: number, before: Before<T>): void {
  const moving = items[at]
  if (moving === undefined) return
  let hole = at
  for (;;) {
    let child = 2 * hole + 1
    let first = items[child]
    if (first === undefined) break
    const right = items[child + 1]
    if (right !== undefined && before(right, first)) {
      child += 1
      first = right
    }
    if (!before(first, moving)) break
    items[hole] = first
    hole = child
  }
  items[hole] = moving
}

/** Takes the first one away. */
export function dropFirst<T>(items: T[], before: Before<T>): void {
  const last = items.pop()
  if (last === undefined || items.length === 0) return
  items[0] = last
  siftDown(items, 0, before)
}

/** Puts right the element at `at`, which was put at the end. */
export function siftUp<T>(items: T[], at: number, before: Before<T>): void {
  const moving = items[at]
  if (moving === undefined) return
  let hole = at
  while (hole > 0) {
    const parent = (hole - 1) >> 1
    const above = items[parent]
    if (above === undefined || !before(moving, above)) break
    items[hole] = above
    hole = parent
  }
  items[hole] = moving
}
