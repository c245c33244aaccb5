/** A websocket that sends a word again and again and waits for its echo each time. */
export interface EchoSocket {
  /** Words that came back; the last is of now. */
  readonly echoes: readonly string[]
  /** Closes it in good order; how it ended. */
  finish(): Promise<{ readonly code: number; readonly wasClean: boolean }>
  /** It is open no longer, though nobody closed it here. */
  isCut(): boolean
}

const SAY_EVERY_MS = 50

export async function echoSocket(port: number): Promise<EchoSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/socket`)
  const echoes: string[] = []
  const closed = Promise.withResolvers<{ readonly code: number; readonly wasClean: boolean }>()
  const opened = Promise.withResolvers<void>()
  let isOver = false
  let isCut = false
  let said = 0
  socket.addEventListener('open', () => opened.resolve())
  socket.addEventListener('message', (event) => void echoes.push(String(event.data)))
  socket.addEventListener('error', () => opened.reject(new Error('the websocket did not open')))
  socket.addEventListener('close', ({ code, wasClean }) => {
    isCut = !isOver
    clearInterval(saying)
    closed.resolve({ code, wasClean })
  })
  const saying = setInterval(() => {
    if (socket.readyState === WebSocket.OPEN) socket.send(`word ${(said += 1)}`)
  }, SAY_EVERY_MS)
  await opened.promise
  return {
    echoes,
    isCut: () => isCut,
    finish: async () => {
      isOver = true
      socket.close()
      return await closed.promise
    },
  }
}
