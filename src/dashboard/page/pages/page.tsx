import type { JSX } from 'preact'

import { Empty, PageHead } from '../parts/panel.tsx'
import { Container } from './container.tsx'
import { Containers } from './containers.tsx'
import { Overview } from './overview.tsx'

/** The page of a place. */
export function Page({ parts: [section = '', name, part] }: { readonly parts: readonly string[] }): JSX.Element {
  switch (section) {
    case '':
      return <Overview />
    case 'containers':
      return name === undefined ? <Containers /> : <Container key={name} id={name} part={part ?? 'anatomy'} />
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
