import { after, afterEach, before, describe } from 'node:test'

import { type TestDaemon, startDaemon } from '../support/daemon.ts'
import { type Docker, dockerClients, dockerOf } from '../support/docker.ts'
import { busyboxTar } from '../support/image.ts'

/** What a group of tests works with: a daemon of its own that has the image `busybox`. */
export interface Bench {
  readonly daemon: TestDaemon
  readonly docker: Docker
}

/** Runs a group of tests once for every docker client that is installed, each on a fresh daemon that must leave nothing behind. */
export function eachClient(topic: string, tests: (bench: () => Bench) => void): void {
  for (const path of dockerClients()) {
    describe(`${topic}, with ${path}`, () => {
      let bench: Bench | undefined
      before(async () => {
        const daemon = await startDaemon()
        bench = { daemon, docker: dockerOf(daemon, path) }
        await bench.docker.must(
          'import',
          '--change',
          'CMD ["sh"]',
          '--change',
          'ENV PATH=/bin',
          await busyboxTar(daemon.directory),
          'busybox',
        )
      })
      after(async () => await bench?.daemon.stop())
      // What a test that fails leaves behind must not fail the next ones.
      afterEach(async (t) => {
        if (('passed' in t && t.passed === true) || bench === undefined) return
        const left = (await bench.docker.must('ps', '--all', '--format', '{{.Names}}'))
          .split('\n')
          .filter((name) => !['', 'box'].includes(name))
        if (left.length > 0) await bench.docker('rm', '--force', '--volumes', ...left)
      })
      tests(() => {
        if (bench === undefined) throw new Error('the daemon of these tests did not start')
        return bench
      })
    })
  }
}
