import './styles/page.css'

import { render } from 'preact'

import { App, type AppContext, type Notice } from './base/app-context.ts'
import { createHttp } from './base/http.ts'
import { createLive } from './base/live.ts'
import { followPlace } from './base/place.ts'
import { createSession } from './base/session.ts'
import { createTheme } from './base/theme.ts'
import { createValue } from './base/value.ts'
import { Gate } from './shell/gate.tsx'

const http = createHttp(localStorage)
const app: AppContext = {
  http,
  session: createSession(http),
  live: createLive(http),
  theme: createTheme(localStorage, document.documentElement),
  place: followPlace(window),
  notices: createValue<readonly Notice[]>([]),
}

const page = document.getElementById('page')
if (page !== null)
  render(
    <App.Provider value={app}>
      <Gate />
    </App.Provider>,
    page,
  )
