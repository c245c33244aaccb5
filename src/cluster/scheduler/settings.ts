/** What may be chosen of how nodes are compared. */
export interface SchedulerSettings {
  /**
   * `spread`: the node with the fewest tasks of the service, then with the fewest tasks. `pack`: the node that is fullest by reserved CPU and memory, so that few nodes are
   * used; tasks that reserve nothing are spread all the same, because they would all fit on the first node.
   */
  readonly strategy: 'spread' | 'pack'
  /** Decides between nodes that are equal in everything. The same seed gives the same placements. */
  readonly seed: number
}

export const DEFAULT_SETTINGS: SchedulerSettings = { strategy: 'spread', seed: 1 }
