import type { JSX } from 'preact'
import { useState } from 'preact/hooks'

import { useApp } from '../base/app-context.ts'
import { wordsOf } from '../base/http.ts'
import { useValue } from '../base/value.ts'
import { notify } from '../parts/action.tsx'
import { Facts, PageHead, Panel } from '../parts/panel.tsx'

/** Who one is here, and another password. */
export function Account(): JSX.Element {
  const { session } = useApp()
  const who = useValue(session.who)
  return (
    <>
      <PageHead title={who?.user ?? ''}>
        <button type="button" class="button" onClick={() => void session.signOut()}>
          Sign out
        </button>
      </PageHead>
      <Panel title="This session">
        <Facts
          of={[
            ['Role', who?.role ?? ''],
            ['Machine', who?.host ?? ''],
            ['Instance', who?.instance ?? ''],
            ['Version', who?.version ?? ''],
          ]}
        />
      </Panel>
      {who?.isLocal === false && <Password />}
    </>
  )
}

function Password(): JSX.Element {
  const app = useApp()
  const [from, setFrom] = useState('')
  const [next, setNext] = useState('')
  const change = async (event: Event) => {
    event.preventDefault()
    try {
      await app.http.json('POST', '/session/password', { from, to: next })
      notify(app, 'good', 'You have another password now. Other browsers are signed out.')
      setFrom('')
      setNext('')
    } catch (error) {
      notify(app, 'bad', wordsOf(error))
    }
  }
  return (
    <Panel title="Another password">
      <form class="pad form" onSubmit={(event) => void change(event)}>
        <label class="field">
          The one you have
          <input
            type="password"
            required
            autocomplete="current-password"
            value={from}
            onInput={(event) => setFrom(event.currentTarget.value)}
          />
        </label>
        <label class="field">
          The new one
          <input
            type="password"
            required
            minLength={10}
            autocomplete="new-password"
            value={next}
            onInput={(event) => setNext(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="button main">
          Change
        </button>
      </form>
    </Panel>
  )
}
