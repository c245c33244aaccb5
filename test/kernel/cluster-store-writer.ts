/** Writes to a cluster's store until it is killed, and says on the standard output what was acknowledged: `WRITER NUMBER REVISION` a line. */
import { writeSync } from 'node:fs'

import { systemClock } from '#base'
import { openSqliteStore } from '#cluster/store'

const WRITERS = 8
const KEYS = 50
/** Large enough that the log of changes is cut while we write. */
const FILLING = 'x'.repeat(300)

const [path = ''] = process.argv.slice(2)
const store = openSqliteStore({ path, clock: systemClock(), log: { maxChanges: 2000, maxBytes: 1 << 20 } })

async function write(writer: number): Promise<never> {
  for (let number = 0; ; number += 1) {
    const key = `k/${writer}/${number % KEYS}`
    const revision = await store.write({
      puts: [
        { key, value: { writer, number, FILLING } },
        { key: `last/${writer}`, value: number },
      ],
      deletes: [`k/${writer}/${(number + 7) % KEYS}`],
    })
    writeSync(1, `${writer} ${number} ${revision}\n`)
  }
}

await Promise.all(Array.from({ length: WRITERS }, async (_, writer) => await write(writer)))
