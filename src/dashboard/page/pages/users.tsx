import type { JSX } from 'preact'
import { useState } from 'preact/hooks'

import type { Role, UserView } from '#dashboard/wire'

import { useApp } from '../base/app-context.ts'
import { wordsOf } from '../base/http.ts'
import { Action, notify } from '../parts/action.tsx'
import { Ago } from '../parts/ago.tsx'
import { show, useAsked } from '../parts/loaded.tsx'
import { Empty, PageHead, Panel } from '../parts/panel.tsx'

const EVERY_MS = 5000
const ROLES: readonly Role[] = ['viewer', 'operator', 'admin']
const MEANINGS: Readonly<Record<Role, string>> = {
  viewer: 'sees everything but secrets and the environment of containers',
  operator: 'also starts and stops, steers rollouts and opens terminals',
  admin: 'also removes things and decides who may sign in',
}

/** Who may sign in. */
export function Users(): JSX.Element {
  const [turn, setTurn] = useState(0)
  const loaded = useAsked<readonly UserView[]>(`/users?${turn}`, EVERY_MS)
  const again = () => setTurn(turn + 1)
  return (
    <>
      <PageHead title="Users" />
      <Panel title="Who may sign in">
        {show(loaded, (users) =>
          users.length === 0 ? (
            <Empty>Nobody yet but the administrator of this machine, by a link of `glovebox dashboard open`.</Empty>
          ) : (
            <ul class="lines">
              {users.map((user) => (
                <User key={user.name} user={user} onChange={again} />
              ))}
            </ul>
          ),
        )}
      </Panel>
      <NewUser onAdded={again} />
    </>
  )
}

function User({ user, onChange }: { readonly user: UserView; readonly onChange: () => void }): JSX.Element {
  const app = useApp()
  const path = `/users/${encodeURIComponent(user.name)}`
  const setRole = async (role: string) => {
    try {
      await app.http.json('PUT', path, { role })
      notify(app, 'good', `${user.name} is ${role} now`)
    } catch (error) {
      notify(app, 'bad', wordsOf(error))
    }
    onChange()
  }
  return (
    <li>
      <b>{user.name}</b>
      <select aria-label={`Role of ${user.name}`} value={user.role} onChange={(event) => void setRole(event.currentTarget.value)}>
        {ROLES.map((role) => (
          <option key={role} value={role}>
            {role}
          </option>
        ))}
      </select>
      <span class="soft text">{MEANINGS[user.role]}</span>
      <span class="soft">
        {user.sessions === 1 ? 'one browser' : `${user.sessions} browsers`}, changed <Ago atMs={user.changedAtMs} />
      </span>
      <Action
        title="Remove"
        role="admin"
        isDangerous
        confirm={`${user.name} is signed out everywhere and cannot come back.`}
        done={`${user.name} is removed`}
        run={async () => {
          await app.http.json('DELETE', path)
          onChange()
        }}
      />
    </li>
  )
}

function NewUser({ onAdded }: { readonly onAdded: () => void }): JSX.Element {
  const app = useApp()
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const [role, setRole] = useState<Role>('viewer')
  const add = async (event: Event) => {
    event.preventDefault()
    try {
      await app.http.json('PUT', `/users/${encodeURIComponent(name)}`, { role, password })
      notify(app, 'good', `${name} may sign in`)
      setName('')
      setPassword('')
      onAdded()
    } catch (error) {
      notify(app, 'bad', wordsOf(error))
    }
  }
  return (
    <Panel title="Somebody new">
      <form class="pad form" onSubmit={(event) => void add(event)}>
        <label class="field">
          Name
          <input
            type="text"
            required
            autocomplete="off"
            spellcheck={false}
            value={name}
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </label>
        <label class="field">
          Password
          <input
            type="password"
            required
            minLength={10}
            autocomplete="new-password"
            value={password}
            onInput={(event) => setPassword(event.currentTarget.value)}
          />
        </label>
        <label class="field">
          Role
          <select value={role} onChange={(event) => setRole(ROLES.find((one) => one === event.currentTarget.value) ?? 'viewer')}>
            {ROLES.map((one) => (
              <option key={one} value={one}>
                {one}
              </option>
            ))}
          </select>
        </label>
        <p class="soft whole">
          {role}: {MEANINGS[role]}
        </p>
        <button type="submit" class="button main">
          Add
        </button>
      </form>
    </Panel>
  )
}
