/**
 * A script that answers the page in the daemon's place: somebody is signed in, and the live stream tells of many containers. `changeAll()` sends new samples of
 * all of them, and gives the milliseconds until they are drawn.
 */
export function manyContainers(count: number): string {
  return `
    localStorage.setItem('glovebox-proof', 'none')
    const ids = Array.from({ length: ${count} }, (_, at) => String(at).padStart(64, '0'))
    const container = (id, at) => ({
      id, name: 'box-' + String(at).padStart(4, '0'), image: 'house:1', imageId: 'sha256:0', state: 'running', health: null, stack: null,
      service: null, taskId: null, createdAt: '2024-01-01T00:00:00Z', startedAt: '2024-01-01T00:00:00Z', finishedAt: '', exitCode: 0, isOomKilled: false,
      error: '', restartCount: 0, hasTty: false, canReadLog: true, addresses: {}, ports: [],
    })
    let turn = 0
    let round = 0
    const samples = () => Object.fromEntries(ids.map((id, at) => [id, {
      atMs: Date.now() + (turn += 1), cpus: ((at * 7 + round * 13) % 100) / 100, memoryBytes: 1e6 + at, memoryLimitBytes: 1e9, rxBytesPerS: 0, txBytesPerS: 0,
      readBytesPerS: 0, writeBytesPerS: 0, pids: 1,
    }]))
    const encode = (message) => new TextEncoder().encode('data: ' + JSON.stringify(message) + '\\n\\n')
    let send
    const stream = new ReadableStream({ start: (controller) => { send = (message) => controller.enqueue(encode(message)) } })
    send({ kind: 'snapshot', atMs: Date.now(), topics: { containers: Object.fromEntries(ids.map((id, at) => [id, container(id, at)])), samples: samples() } })
    const who = { user: 'many', role: 'viewer', isLocal: false, instance: 'many', host: 'many', version: '1' }
    const original = window.fetch
    window.fetch = async (path, init) =>
      path === '/live' ? new Response(stream) : path === '/session' ? new Response(JSON.stringify(who)) : original(path, init)
    window.changeAll = async () => {
      round += 1
      const message = { kind: 'delta', atMs: Date.now(), topics: { samples: samples() } }
      const before = document.querySelector('.table .body').innerText
      const start = performance.now()
      send(message)
      while (document.querySelector('.table .body').innerText === before) await new Promise((resolve) => setTimeout(resolve, 1))
      return performance.now() - start
    }
  `
}
