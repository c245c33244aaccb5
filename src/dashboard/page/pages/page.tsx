import type { JSX } from 'preact'

import { Empty, PageHead } from '../parts/panel.tsx'
import { Account } from './account.tsx'
import { Application } from './application.tsx'
import { Applications } from './applications.tsx'
import { Container } from './container.tsx'
import { Containers } from './containers.tsx'
import { Events } from './events.tsx'
import { Graph } from './graph.tsx'
import { Logs } from './logs.tsx'
import { Metrics } from './metrics.tsx'
import { Nodes } from './nodes.tsx'
import { Overview } from './overview.tsx'
import { Route } from './route.tsx'
import { Routes } from './routes.tsx'
import { Service } from './service.tsx'
import { Storage } from './storage.tsx'
import { Users } from './users.tsx'

/** The page of a place. */
export function Page({ parts: [section = '', name, part] }: { readonly parts: readonly string[] }): JSX.Element {
  switch (section) {
    case '':
      return <Overview />
    case 'apps':
      return name === undefined ? <Applications /> : <Application key={name} name={name} />
    case 'services':
      return name === undefined ? <Applications /> : <Service key={name} name={name} />
    case 'containers':
      return name === undefined ? <Containers /> : <Container key={name} id={name} part={part ?? 'anatomy'} />
    case 'nodes':
      return <Nodes />
    case 'routes':
      return name === undefined ? <Routes /> : <Route key={name} id={name} />
    case 'graph':
      return <Graph />
    case 'logs':
      return <Logs />
    case 'metrics':
      return <Metrics />
    case 'events':
      return <Events />
    case 'storage':
      return <Storage />
    case 'users':
      return <Users />
    case 'account':
      return <Account />
    default:
      return <NotThere />
  }
}

function NotThere(): JSX.Element {
  return (
    <>
      <PageHead title="There is no such page" />
      <Empty>
        <a href="#/">To the overview</a>
      </Empty>
    </>
  )
}
