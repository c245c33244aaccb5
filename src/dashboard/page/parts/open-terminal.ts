import { FitAddon } from '@xterm/addon-fit'
import { Terminal } from '@xterm/xterm'

import { withoutInlineStyles } from './without-inline-styles.ts'

const PROTOCOL = 'glovebox.terminal'
const LIGHT = { background: '#ffffff', foreground: '#161a18', cursor: '#0b655d', selectionBackground: '#bfe3de' }
const DARK = { background: '#101312', foreground: '#e8ebe9', cursor: '#46c9ba', selectionBackground: '#2b5e58' }
const SCROLLBACK_LINES = 5000

export interface TerminalOptions {
  readonly container: string
  readonly proof: string
  readonly isDark: boolean
  /** Told once, in words, when the shell or the connection has ended. */
  readonly onEnd: (words: string) => void
}

/** Joins a shell in a container to a box of the page. Gives what closes both. */
export function openTerminal(box: HTMLElement, { container, proof, isDark, onEnd }: TerminalOptions): () => void {
  const terminal = new Terminal({
    fontFamily: getComputedStyle(box).getPropertyValue('--mono'),
    fontSize: 13,
    cursorBlink: true,
    scrollback: SCROLLBACK_LINES,
    theme: isDark ? DARK : LIGHT,
  })
  const fit = new FitAddon()
  terminal.loadAddon(fit)
  withoutInlineStyles(() => terminal.open(box))
  fit.fit()
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
  const query = new URLSearchParams({ container, columns: String(terminal.cols), rows: String(terminal.rows) })
  const socket = new WebSocket(`${scheme}://${location.host}/terminal?${query}`, [PROTOCOL, `proof.${proof}`])
  socket.binaryType = 'arraybuffer'
  const encoder = new TextEncoder()
  const send = (bytes: Uint8Array<ArrayBuffer>) => (socket.readyState === WebSocket.OPEN ? socket.send(bytes) : undefined)
  terminal.onData((text) => send(encoder.encode(text)))
  terminal.onBinary((text) => send(Uint8Array.from(text, (character) => character.charCodeAt(0))))
  terminal.onResize(({ cols, rows }) => {
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ columns: cols, rows }))
  })
  socket.addEventListener('open', () => terminal.focus())
  socket.addEventListener('message', ({ data }: MessageEvent<ArrayBuffer>) => terminal.write(new Uint8Array(data)))
  let isClosed = false
  socket.addEventListener('close', ({ reason }) => {
    if (!isClosed) onEnd(reason === '' ? 'The connection has ended.' : reason)
  })
  const observer = new ResizeObserver(() => fit.fit())
  observer.observe(box)
  return () => {
    isClosed = true
    observer.disconnect()
    socket.close()
    terminal.dispose()
  }
}
