export interface Series {
  readonly title: string
  readonly tone: 'first' | 'second' | 'third' | 'bad'
  readonly values: readonly (number | null)[]
}

export interface PlotProps {
  readonly label: string
  /** Seconds since 1970. */
  readonly times: readonly number[]
  readonly series: readonly Series[]
  readonly format: (value: number) => string
  /** The axis goes by powers of two. */
  readonly isBytes?: boolean
  /** Told when somebody has drawn over a part of it, in seconds. */
  readonly onZoom?: (fromS: number, toS: number) => void
}
