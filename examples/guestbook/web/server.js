'use strict'

const { randomUUID } = require('node:crypto')
const http = require('node:http')
const { hostname } = require('node:os')

const database = require('./database.js')
const { page } = require('./page.js')

const PORT = 8080
const MAX_BODY_BYTES = 16 * 1024
const replica = hostname()
let isReady = false

async function readForm(request) {
  let body = ''
  for await (const chunk of request.setEncoding('utf8')) {
    body += chunk
    if (body.length > MAX_BODY_BYTES) throw Object.assign(new Error('the form is too large'), { status: 413 })
  }
  return new URLSearchParams(body)
}

function send(response, status, type, body, headers = {}) {
  response.writeHead(status, {
    'content-type': `${type}; charset=utf-8`,
    'x-replica': replica,
    'cache-control': 'no-store',
    ...headers,
  })
  response.end(body)
}

async function sign(request, response) {
  const form = await readForm(request)
  const name = (form.get('name') ?? '').trim().slice(0, 80)
  const message = (form.get('message') ?? '').trim().slice(0, 2000)
  const given = form.get('key') ?? ''
  const key = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(given) ? given : randomUUID()
  if (name === '' || message === '') return send(response, 400, 'text/plain', 'A name and a message, please.\n')
  await database.write(name, message, key)
  // Back to the list by GET, so that reloading the page sends nothing again.
  send(response, 303, 'text/plain', 'Thank you.\n', { location: '/' })
}

async function answer(request, response) {
  const { pathname } = new URL(request.url, 'http://guestbook')
  switch (`${request.method} ${pathname}`) {
    case 'GET /':
      return send(response, 200, 'text/html', page({ entries: await database.latest(), replica, key: randomUUID() }))
    case 'GET /entries':
      return send(response, 200, 'application/json', JSON.stringify(await database.latest()))
    case 'POST /entries':
      return sign(request, response)
    case 'GET /health':
      // Of this process alone: were it of the database too, a database that restarts would take the replicas with it.
      return send(response, isReady ? 200 : 503, 'text/plain', isReady ? 'ready\n' : 'starting\n')
    default:
      return send(response, 404, 'text/plain', 'There is nothing here.\n')
  }
}

const server = http.createServer((request, response) => {
  answer(request, response).catch((error) => {
    console.error(`${request.method} ${request.url}: ${error.message}`)
    if (response.headersSent) return response.destroy()
    const status = error.status ?? 503
    send(response, status, 'text/plain', status === 503 ? 'The database is away. Please try again.\n' : `${error.message}\n`)
  })
})

async function becomeReady() {
  while (!isReady) {
    try {
      await database.prepare()
      isReady = true
      console.log(`replica ${replica} is ready`)
    } catch (error) {
      console.error(`waiting for the database: ${error.message}`)
      await new Promise((resolve) => setTimeout(resolve, 1000))
    }
  }
}

// Requests under way are answered before the process ends.
for (const signal of ['SIGTERM', 'SIGINT'])
  process.once(signal, () => {
    server.close(() => process.exit(0))
    server.closeIdleConnections?.()
  })

server.listen(PORT, () => console.log(`replica ${replica} listens on ${PORT}`))
becomeReady()
