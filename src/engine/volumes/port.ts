export interface VolumeRecord {
  readonly name: string
  readonly driver: 'local'
  /** Where its files are on the host. */
  readonly mountpoint: string
  readonly createdAt: string
  readonly labels: Readonly<Record<string, string>>
  readonly options: Readonly<Record<string, string>>
  readonly isAnonymous: boolean
}

/** Errors: `volume.not_found`, `volume.in_use` (names the containers), `volume.name_invalid`, `volume.conflict` (exists with other options). */
export interface Volumes {
  /** Exists already with the same driver and options: gives that one back. Name null: a random one of 64 digits. */
  create(options: {
    readonly name: string | null
    readonly driver: string
    readonly driverOptions: Readonly<Record<string, string>>
    readonly labels: Readonly<Record<string, string>>
    readonly isAnonymous: boolean
  }): Promise<VolumeRecord>
  get(name: string): VolumeRecord
  list(): readonly VolumeRecord[]
  remove(name: string, options: { readonly force: boolean }): Promise<void>
  prune(options: {
    readonly all: boolean
    readonly keep: (volume: VolumeRecord) => boolean
  }): Promise<{ readonly deleted: readonly string[]; readonly reclaimedBytes: number }>
  usageBytes(name: string): Promise<number>
  /** Names of the containers that use it. */
  users(name: string): readonly string[]
  /**
   * Mounts what the driver's options say for as long as somebody holds it; nothing to do for a plain directory. Errors: `volume.mount_failed`.
   * `holder` is any name; one that holds it already holds it once.
   */
  hold(name: string, holder: string): Promise<void>
  /** Unknown is fine. Unmounted with the last holder, unless a container of an earlier daemon's runs on it. */
  release(name: string, holder: string): Promise<void>
  /** One at a time for each volume. */
  exclusively<T>(name: string, work: () => Promise<T>): Promise<T>
}
