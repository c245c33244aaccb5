import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** No page of a test takes this long unless it hangs. */
const TIMEOUT_MS = 15_000
const START_TIMEOUT_MS = 30_000

/** Debian's Chromium without a window, spoken to over the DevTools protocol. */
export interface Browser extends AsyncDisposable {
  /** A page with cookies and storage of its own. */
  page(size?: { readonly width: number; readonly height: number }): Promise<BrowserPage>
}

export interface BrowserPage {
  /** Resolves when the document is loaded. */
  goto(url: string): Promise<void>
  /** The value of an expression in the page; promises are waited for. */
  evaluate<T>(expression: string): Promise<T>
  /** Resolves to the value as soon as it is neither false, null nor undefined. */
  until<T>(expression: string, timeoutMs?: number): Promise<T>
  /** Types as a person does, where the focus is. */
  type(text: string): Promise<void>
  press(key: string, modifiers?: number): Promise<void>
  /** Clicks in the middle of the first element that matches. */
  click(selector: string): Promise<void>
  /** A PNG of what is seen, or of the whole page. */
  screenshot(isWhole?: boolean): Promise<Buffer>
  setDark(isDark: boolean): Promise<void>
  /** What the console and the security policy complained of. */
  readonly complaints: readonly string[]
  send(method: string, params?: object): Promise<any>
}

const FLAGS = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-extensions',
  '--disable-background-networking',
  '--disable-component-update',
  '--no-first-run',
  '--no-default-browser-check',
  '--hide-scrollbars',
  '--force-color-profile=srgb',
  '--ignore-certificate-errors',
  '--remote-debugging-port=0',
]

export async function startBrowser(program = 'chromium'): Promise<Browser> {
  const profile = mkdtempSync(join(tmpdir(), 'glovebox-browser-'))
  const child = spawn(program, [...FLAGS, `--user-data-dir=${profile}`, 'about:blank'], { stdio: ['ignore', 'ignore', 'pipe'] })
  const address = await new Promise<string>((resolve, reject) => {
    let text = ''
    const late = setTimeout(() => reject(new Error(`${program} did not start:\n${text}`)), START_TIMEOUT_MS)
    child.on('error', reject)
    child.stderr.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      const found = /ws:\/\/\S+/.exec(text)
      if (found === null) return
      clearTimeout(late)
      resolve(found[0])
    })
  })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const connection = await connect(address)
  return {
    page: async (size = { width: 1280, height: 800 }) => await openPage(connection, size),
    [Symbol.asyncDispose]: async () => {
      connection.close()
      child.kill('SIGKILL')
      await ended
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

interface Connection {
  send(method: string, params: object, sessionId?: string): Promise<any>
  listen(sessionId: string, listener: (method: string, params: any) => void): void
  close(): void
}

async function connect(address: string): Promise<Connection> {
  const socket = new WebSocket(address)
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve)
    socket.addEventListener('error', () => reject(new Error(`no connection to ${address}`)))
  })
  const waiting = new Map<number, { readonly resolve: (value: any) => void; readonly reject: (error: Error) => void }>()
  const listeners = new Map<string, (method: string, params: any) => void>()
  let last = 0
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data))
    if (message.id === undefined) return listeners.get(message.sessionId ?? '')?.(message.method, message.params)
    const waiter = waiting.get(message.id)
    waiting.delete(message.id)
    if (message.error === undefined) waiter?.resolve(message.result)
    else waiter?.reject(new Error(`${message.error.message} ${message.error.data ?? ''}`))
  })
  return {
    send: (method, params, sessionId) =>
      new Promise((resolve, reject) => {
        last += 1
        waiting.set(last, { resolve, reject })
        socket.send(JSON.stringify({ id: last, method, params, ...(sessionId === undefined ? {} : { sessionId }) }))
      }),
    listen: (sessionId, listener) => listeners.set(sessionId, listener),
    close: () => socket.close(),
  }
}

/** What DevTools calls keys, where it is not the character. */
const KEYS: Readonly<Record<string, { readonly code: number; readonly text?: string }>> = {
  Enter: { code: 13, text: '\r' },
  Tab: { code: 9 },
  Escape: { code: 27 },
  ArrowUp: { code: 38 },
  ArrowDown: { code: 40 },
}

async function openPage(
  connection: Connection,
  { width, height }: { readonly width: number; readonly height: number },
): Promise<BrowserPage> {
  const { browserContextId } = await connection.send('Target.createBrowserContext', {})
  const { targetId } = await connection.send('Target.createTarget', { url: 'about:blank', browserContextId })
  const { sessionId } = await connection.send('Target.attachToTarget', { targetId, flatten: true })
  const send = async (method: string, params: object = {}) => await connection.send(method, params, sessionId)
  const complaints: string[] = []
  let loaded = () => undefined as void
  connection.listen(sessionId, (method, params) => {
    if (method === 'Page.loadEventFired') loaded()
    if (method === 'Runtime.exceptionThrown')
      complaints.push(String(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text))
    if (method === 'Log.entryAdded' && ['error', 'warning'].includes(params.entry.level))
      complaints.push(`${params.entry.text} ${params.entry.url ?? ''}`)
  })
  for (const domain of ['Page', 'Runtime', 'Log']) await send(`${domain}.enable`)
  await send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: width < 600 })
  await send('Emulation.setFocusEmulationEnabled', { enabled: true })
  // Only what is in front is drawn at once.
  await send('Page.bringToFront')

  const evaluate = async <T>(expression: string): Promise<T> => {
    const { result, exceptionDetails } = await send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true })
    if (exceptionDetails !== undefined)
      throw new Error(`${expression}: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`)
    return result.value as T
  }
  const until = async <T>(expression: string, timeoutMs = TIMEOUT_MS): Promise<T> => {
    const endMs = performance.now() + timeoutMs
    for (;;) {
      const value = await evaluate<T | null | undefined | false>(expression)
      if (value !== null && value !== undefined && value !== false) return value
      if (performance.now() > endMs)
        throw new Error(
          `not within ${timeoutMs} ms: ${expression}\n${await evaluate<string>('document.body.innerText')}\n${complaints.join('\n')}`,
        )
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  const press = async (key: string, modifiers = 0) => {
    // Only of letters and digits are the numbers of keys their characters.
    const { code, text } = KEYS[key] ?? { code: /^[a-z0-9]$/i.test(key) ? key.toUpperCase().charCodeAt(0) : 0, text: key }
    const event = {
      key,
      code: key in KEYS ? key : '',
      windowsVirtualKeyCode: code,
      modifiers,
      ...(text === undefined || modifiers > 1 ? {} : { text }),
    }
    await send('Input.dispatchKeyEvent', { type: 'keyDown', ...event })
    await send('Input.dispatchKeyEvent', { type: 'keyUp', key, windowsVirtualKeyCode: code, modifiers })
  }
  return {
    goto: async (url) => {
      const done = new Promise<void>((resolve) => (loaded = resolve))
      const { errorText } = await send('Page.navigate', { url })
      if (errorText !== undefined) throw new Error(`${url}: ${errorText}`)
      await done
    },
    evaluate,
    until,
    press,
    type: async (text) => {
      for (const character of text) await (character === '\n' ? press('Enter') : press(character))
    },
    click: async (selector) => {
      const [x, y] = await until<[number, number]>(
        `(() => { const it = document.querySelector(${JSON.stringify(selector)}); if (!it) return null; it.scrollIntoView({block: 'nearest'}); const box = it.getBoundingClientRect(); return box.width === 0 ? null : [box.x + box.width / 2, box.y + box.height / 2] })()`,
      )
      for (const type of ['mousePressed', 'mouseReleased'])
        await send('Input.dispatchMouseEvent', { type, x, y, button: 'left', clickCount: 1 })
    },
    screenshot: async (isWhole = false) => {
      const { data } = await send('Page.captureScreenshot', { format: 'png', captureBeyondViewport: isWhole })
      return Buffer.from(data, 'base64')
    },
    setDark: async (isDark) =>
      void (await send('Emulation.setEmulatedMedia', {
        features: [{ name: 'prefers-color-scheme', value: isDark ? 'dark' : 'light' }],
      })),
    complaints,
    send,
  }
}
