import type { Serving } from '#api/http'
import type { SessionView } from '#dashboard/wire'

import { createAccounts, type Accounts } from './accounts.ts'
import { pageAssets } from './assets.ts'
import { createAttempts } from './attempts.ts'
import { createCallers } from './caller.ts'
import { sessionCookie } from './cookies.ts'
import { createLinks } from './links.ts'
import { listenForBrowsers, type DashboardListen } from './listen.ts'
import { createLiveHub } from './live/hub.ts'
import type { DashboardNeeds } from './ports.ts'
import { dashboardApi } from './serve.ts'
import { openSessions } from './sessions.ts'
import { openUsers } from './users.ts'

/** The dashboard of one daemon. */
export interface Dashboard {
  readonly accounts: Accounts
  /** `http://HOST:PORT`; undefined: it does not listen. */
  readonly address: () => string | undefined
  /** Errors: those of `listenForBrowsers`. Listening already: fine. */
  listen(where: DashboardListen): Promise<string>
  /** A link that signs the local administrator in once, for an address that it listens on. */
  makeLink(address: string): { readonly url: string; readonly expiresAtMs: number }
  close(): Promise<void>
}

/** What nobody can type into a browser. */
const EVERY_ADDRESS = /^(?:0\.0\.0\.0|\[::\]):/

export function createDashboard(needs: DashboardNeeds): Dashboard {
  const { clock, random, log, instance } = needs
  const users = openUsers(needs)
  const sessions = openSessions(needs)
  const accounts = createAccounts({ users, sessions, log })
  const links = createLinks(clock, random)
  const shared = {
    users,
    sessions,
    accounts,
    links,
    attempts: createAttempts(clock),
    assets: pageAssets(needs.pageDirectory),
    hub: createLiveHub({ source: needs.live, clock, log }),
    place: { instance, host: needs.hostname, version: needs.version } satisfies Partial<SessionView>,
  }
  let serving: Serving | undefined
  let address: string | undefined
  let opening: Promise<string> | undefined
  const open = async (where: DashboardListen): Promise<string> => {
    const cookie = sessionCookie(instance, where.tls !== undefined)
    const callers = createCallers({ users, sessions, cookie })
    serving = await listenForBrowsers(where, { api: dashboardApi({ ...needs, ...shared, cookie, callers }), clock, log })
    address = `${where.tls === undefined ? 'http' : 'https'}://${serving.path.replace(EVERY_ADDRESS, 'localhost:')}`
    log.info('the dashboard listens', { address })
    return address
  }
  return {
    accounts,
    address: () => address,
    listen: async (where) => {
      if (address !== undefined) return address
      opening ??= open(where).finally(() => (opening = undefined))
      return await opening
    },
    makeLink: (at) => {
      const { token, expiresAtMs } = links.make()
      return { url: `${at}/#/enter/${token}`, expiresAtMs }
    },
    close: async () => {
      await serving?.close()
      serving = undefined
      address = undefined
    },
  }
}
