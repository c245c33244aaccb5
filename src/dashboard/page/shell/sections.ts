import type { Role } from '#dashboard/wire'

import type { IconName } from '../parts/icons.tsx'

export interface Section {
  readonly key: string
  readonly title: string
  readonly icon: IconName
  /** After `g`, it goes there. */
  readonly letter: string
  readonly role?: Role
}

/** What there is in the house, in groups. */
export const SECTIONS: readonly { readonly title: string; readonly sections: readonly Section[] }[] = [
  {
    title: 'House',
    sections: [
      { key: '', title: 'Overview', icon: 'home', letter: 'h' },
      { key: 'apps', title: 'Applications', icon: 'apps', letter: 'a' },
      { key: 'containers', title: 'Containers', icon: 'box', letter: 'c' },
      { key: 'nodes', title: 'Nodes', icon: 'node', letter: 'n' },
    ],
  },
  {
    title: 'Traffic',
    sections: [
      { key: 'routes', title: 'Routes', icon: 'route', letter: 'r' },
      { key: 'graph', title: 'Connections', icon: 'graph', letter: 'w' },
    ],
  },
  {
    title: 'Looking closer',
    sections: [
      { key: 'logs', title: 'Logs', icon: 'logs', letter: 'l' },
      { key: 'metrics', title: 'Metrics', icon: 'metrics', letter: 'm' },
      { key: 'events', title: 'Events', icon: 'events', letter: 'e' },
      { key: 'storage', title: 'Images and disk', icon: 'disk', letter: 'i' },
      { key: 'users', title: 'Users', icon: 'users', letter: 'u', role: 'admin' },
    ],
  },
]
