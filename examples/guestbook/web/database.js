'use strict'

const { Pool } = require('pg')

const FIRST_DELAY_MS = 100
const MAX_DELAY_MS = 2000
/** A visitor waits this long for a database that is away before being told to come back. */
const PATIENCE_MS = 5000

const pool = new Pool({
  host: process.env.DATABASE_HOST,
  user: process.env.DATABASE_USER,
  database: process.env.DATABASE_NAME,
  password: process.env.DATABASE_PASSWORD,
  max: 5,
  connectionTimeoutMillis: 2000,
  idleTimeoutMillis: 10000,
})

// An idle connection that breaks is replaced by the pool; without a listener it would end the process.
pool.on('error', (error) => console.error(`connection lost: ${error.message}`))

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** Connection failures (class 08, a database that starts or stops: 57P) are worth another try; a wrong query is not. */
function isAway(error) {
  return error.code === undefined || /^(E[A-Z]+|08...|57P0[1-3])$/.test(error.code)
}

/** Runs a query, waiting longer and longer for a database that is away. `isRepeatable` is false for writes that may have happened. */
async function query(text, values, isRepeatable) {
  const deadline = Date.now() + PATIENCE_MS
  for (let delay = FIRST_DELAY_MS; ; delay = Math.min(delay * 2, MAX_DELAY_MS)) {
    let client
    try {
      client = await pool.connect()
      const result = await client.query(text, values)
      client.release()
      return result
    } catch (error) {
      client?.release(error)
      const mayRepeat = client === undefined || isRepeatable
      if (!isAway(error) || !mayRepeat || Date.now() + delay > deadline) throw error
      await sleep(delay)
    }
  }
}

/** Both replicas do this at once at their start; the lock lets one of them be first. */
async function prepare() {
  await query(
    `DO $$ BEGIN
       PERFORM pg_advisory_xact_lock(8080);
       CREATE TABLE IF NOT EXISTS entries (
         id bigserial PRIMARY KEY,
         name text NOT NULL,
         message text NOT NULL,
         key uuid UNIQUE,
         written_at timestamptz NOT NULL DEFAULT now()
       );
     END $$`,
    [],
    true,
  )
}

async function latest() {
  const { rows } = await query('SELECT name, message, written_at FROM entries ORDER BY id DESC LIMIT 100', [], true)
  return rows
}

/** The key makes a second try of the same entry harmless. */
async function write(name, message, key) {
  await query(
    'INSERT INTO entries (name, message, key) VALUES ($1, $2, $3) ON CONFLICT (key) DO NOTHING',
    [name, message, key],
    true,
  )
}

module.exports = { prepare, latest, write }
