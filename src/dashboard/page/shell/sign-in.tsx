import type { JSX } from 'preact'
import { useState } from 'preact/hooks'

import { useApp } from '../base/app-context.ts'
import { wordsOf } from '../base/http.ts'
import { Mark } from './brand.tsx'

export function SignIn({ refusal: first }: { readonly refusal: string }): JSX.Element {
  const { session } = useApp()
  const [user, setUser] = useState('')
  const [password, setPassword] = useState('')
  const [refusal, setRefusal] = useState('')
  const [isBusy, setBusy] = useState(false)
  const send = async (event: Event) => {
    event.preventDefault()
    setBusy(true)
    setRefusal('')
    try {
      await session.signIn(user, password)
    } catch (error) {
      setRefusal(wordsOf(error))
      setPassword('')
      setBusy(false)
    }
  }
  const said = refusal === '' ? first : refusal
  return (
    <main class="sign-in">
      <form onSubmit={(event) => void send(event)}>
        <h1 class="brand">
          <Mark size={32} /> Glovebox
        </h1>
        <div role="alert">{said !== '' && <p class="refusal">{said}</p>}</div>
        <label class="field">
          User
          <input
            type="text"
            name="user"
            autocomplete="username"
            autocapitalize="none"
            spellcheck={false}
            required
            value={user}
            onInput={(event) => setUser(event.currentTarget.value)}
          />
        </label>
        <label class="field">
          Password
          <input
            type="password"
            name="password"
            autocomplete="current-password"
            required
            value={password}
            onInput={(event) => setPassword(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="button main" disabled={isBusy}>
          {isBusy ? 'Signing in…' : 'Sign in'}
        </button>
        <p class="soft">
          On the machine itself, <code>glovebox dashboard open</code> prints a link that signs you in.
        </p>
      </form>
    </main>
  )
}
