import type { JSX } from 'preact'

/** Outlines on a grid of 16, one stroke wide; drawn here, so that no font and no file is fetched for them. */
const PATHS = {
  home: 'M2 7.5 8 2.5l6 5M3.5 6.5v7h9v-7M6.5 13.5v-4h3v4',
  apps: 'M2.5 2.5h4.5v4.5H2.5zM9 2.5h4.5v4.5H9zM2.5 9h4.5v4.5H2.5zM9 9h4.5v4.5H9z',
  box: 'M2 5l6-3 6 3v6l-6 3-6-3zM2 5l6 3 6-3M8 8v6',
  route: 'M3 3.5h3.5c2 0 2 9 4 9H13M3 12.5h3.5c2 0 2-9 4-9H13M11 1.5l2 2-2 2M11 10.5l2 2-2 2',
  graph:
    'M3.5 5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3zM12.5 9.500a1.500 1.500 0 1 0 0-3 1.500 1.500 0 0 0 0 3zM3.500 14a1.500 1.500 0 1 0 0-3 1.500 1.500 0 0 0 0 3zM5 4l6 3.200M5 12l6-3.200',
  node: 'M2.500 3h11v4h-11zM2.500 9h11v4h-11zM5 5h.01M5 11h.01',
  logs: 'M3 3.500h10M3 6.500h7M3 9.500h10M3 12.500h5',
  metrics: 'M2 13.500h12M4 11V8M7.300 11V4M10.600 11V6.500M13.500 11V9',
  events: 'M8 2.500a5.500 5.500 0 1 0 0 11 5.500 5.500 0 0 0 0-11zM8 5v3.300l2.200 1.400',
  disk: 'M8 2.500c3.300 0 5.500.9 5.500 2S11.300 6.500 8 6.500 2.500 5.600 2.500 4.500s2.200-2 5.500-2zM2.500 4.500v7c0 1.100 2.200 2 5.500 2s5.500-.9 5.500-2v-7M2.500 8c0 1.100 2.200 2 5.500 2s5.500-.9 5.500-2',
  users:
    'M6 7.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5zM1.500 13.500c0-2.500 2-4 4.500-4s4.500 1.500 4.500 4M11 7.300a2.200 2.200 0 1 0-.8-4.200M12 9.800c1.500.4 2.500 1.700 2.500 3.700',
  search: 'M7 11.500a4.500 4.500 0 1 0 0-9 4.500 4.500 0 0 0 0 9zM10.300 10.300l3.200 3.200',
  menu: 'M2.500 4h11M2.500 8h11M2.500 12h11',
  sun: 'M8 10.800a2.800 2.800 0 1 0 0-5.600 2.800 2.800 0 0 0 0 5.600zM8 1.500v1.300M8 13.200v1.300M1.500 8h1.300M13.200 8h1.300M3.400 3.400l.9.9M11.700 11.700l.9.9M12.600 3.400l-.9.9M4.300 11.700l-.9.9',
  moon: 'M13 9.600A5.500 5.500 0 1 1 6.400 3 4.500 4.500 0 0 0 13 9.600z',
  auto: 'M8 2.500a5.500 5.500 0 1 0 0 11zM8 2.500a5.500 5.500 0 0 1 0 11',
  good: 'M3 8.500l3.300 3.300L13 4.800',
  bad: 'M4 4l8 8M12 4l-8 8',
  warn: 'M8 3v6.200M8 12.400v.1',
  chevron: 'M6 3.500 10.500 8 6 12.500',
  terminal: 'M2 3h12v10H2zM4.500 6l2 2-2 2M8.500 10h3',
  close: 'M4 4l8 8M12 4l-8 8',
  out: 'M9.500 3H3.500v10h6M7 8h6.500M11 5.500 13.500 8 11 10.500',
} as const

export type IconName = keyof typeof PATHS

export function Icon({ name, size = 16 }: { readonly name: IconName; readonly size?: number }): JSX.Element {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  )
}
