import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { startBrowser, type Browser, type BrowserPage } from '../support/browser.ts'
import { startDaemon, type TestDaemon } from '../support/daemon.ts'
import { busyboxTar } from '../support/image.ts'
import type { Ended } from '../support/processes.ts'

/** An application with a service that is well and one that is not. */
const COMPOSE = `
name: town
services:
  shop: { image: 'house:1', command: [httpd, -f, -p, '80'], ports: ['80'] }
  ruin: { image: 'house:1', command: [sh, -c, 'echo no roof >&2; exit 3'] }
`

export const PASSWORD = 'correct horse battery'

/** A daemon with a few containers, its dashboard, and a browser. */
export interface House extends AsyncDisposable {
  readonly base: string
  readonly browser: Browser
  glovebox(...words: readonly string[]): Promise<Ended>
  /** A page of somebody who has signed in through the form. */
  signedIn(
    role: 'viewer' | 'operator' | 'admin',
    size?: { readonly width: number; readonly height: number },
  ): Promise<BrowserPage>
  /** The full id of a container. */
  id(name: string): Promise<string>
}

export async function openHouse(): Promise<House> {
  await using undo = new AsyncDisposableStack()
  const daemon = await startDaemon(['--dashboard-listen', '127.0.0.1:0'])
  undo.defer(async () => await daemon.stop())
  const must = async (...words: readonly string[]) => {
    const ended = await daemon.glovebox(...words)
    if (ended.code !== 0) throw new Error(`glovebox ${words.join(' ')}: ${ended.stderr}`)
    return ended.stdout.trim()
  }
  await must('import', await busyboxTar(daemon.directory), 'house:1')
  await must('run', '-d', '--name', 'clock', 'house:1', 'sh', '-c', 'i=0; while true; do i=$((i+1)); echo tick $i; sleep 1; done')
  await must(
    'run',
    '-d',
    '--name',
    'sick',
    '--health-cmd',
    'echo no pulse; false',
    '--health-interval',
    '1s',
    '--health-retries',
    '1',
    'house:1',
    'sleep',
    '1000',
  )
  await must('run', '-d', '--name', 'web', '-p', '127.0.0.1::80', '-v', 'data:/data', 'house:1', 'httpd', '-f', '-p', '80')
  writeFileSync(join(daemon.directory, 'compose.yaml'), COMPOSE)
  await must('up', '-d', daemon.directory)
  for (const role of ['viewer', 'operator', 'admin']) await addUser(daemon, role)
  const base = new URL(await must('dashboard', 'open')).origin
  const browser = undo.use(await startBrowser())
  const owned = undo.move()
  return {
    base,
    browser,
    glovebox: async (...words) => await daemon.glovebox(...words),
    signedIn: async (role, size) => {
      const page = await browser.page(size)
      await page.goto(base)
      await page.until('document.querySelector("input[name=user]")')
      await page.evaluate('document.querySelector("input[name=user]").focus()')
      await page.type(role)
      await page.press('Tab')
      await page.type(`${PASSWORD}\n`)
      await page.until('document.querySelector(".shell")')
      return page
    },
    id: async (name) => (await must('ps', '-aq', '--no-trunc', '--filter', `name=^${name}$`)).trim(),
    [Symbol.asyncDispose]: async () => await owned.disposeAsync(),
  }
}

async function addUser(daemon: TestDaemon, role: string): Promise<void> {
  const { run } = await import('../support/processes.ts')
  const home = new URL('../../glovebox', import.meta.url).pathname
  const place = ['--root', `${daemon.directory}/root`, '--run-dir', `${daemon.directory}/run`, '--instance-name', daemon.name]
  const ended = await run(home, [...place, 'dashboard', 'user', 'add', role, '--role', role, '--password-stdin'], {
    input: PASSWORD,
  })
  if (ended.code !== 0) throw new Error(ended.stderr)
}
