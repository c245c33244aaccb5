import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'

import { backoffMs, keyedLocks, limiter, messageOf, type BackoffPolicy, type Clock, type Log, type Random } from '#base'

import { orderCertificate } from './acme.ts'
import { acmeTransport, type AcmeTransport } from './acme-http.ts'
import { openAuthority } from './authority.ts'
import { makeBundle, readBundle, renewAtMs, type Bundle } from './bundle.ts'
import { certificateError } from './errors.ts'
import { keyFiles } from './files.ts'
import type { CertificateState, CertificateWish, Certificates, ChallengeSink } from './port.ts'

export interface CertificatesOptions {
  /** Of keys and certificates; made where it is not there. */
  readonly directory: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Absent: https, trusting whom Node and the host trust. */
  readonly transport?: AcmeTransport
}

/** How soon a changed file or a certificate that grows old is seen. */
const LOOK_MS = 10_000
/** ACME servers count failed proofs by the hour. */
const ACME_BACKOFF: BackoffPolicy = { firstMs: 60_000, maxMs: 6 * 3_600_000 }
const ORDERS_AT_ONCE = 4
const MAX_FILE_BYTES = 1024 * 1024

interface Attempt {
  failures: number
  /** Not before. */
  atMs: number
  problem: string | null
  isUnderWay: boolean
}

/** All that `current` was asked for last is kept young; what nobody asks for any more stays in its file. */
export async function openCertificates(options: CertificatesOptions): Promise<Certificates> {
  const { clock, random, log } = options
  const files = keyFiles(options.directory)
  const authority = await openAuthority(files, clock, random)
  const transport = options.transport ?? acmeTransport(clock)
  const locks = keyedLocks()
  const orders = limiter(ORDERS_AT_ONCE)
  const bundles = new Map<string, Bundle>()
  const attempts = new Map<string, Attempt>()
  let wishes: readonly CertificateWish[] = []
  let expiries: ReturnType<Certificates['expiries']> = []
  let sink: ChallengeSink | undefined
  let timer: Disposable | undefined
  let isClosed = false
  const fallback = authority.issue([])

  const known = (id: string): Bundle | undefined => {
    const bundle = bundles.get(id)
    if (bundle !== undefined) return bundle
    const text = files.read(`${id}.pem`)
    if (text === undefined) return undefined
    try {
      const read = readBundle(`${id}.pem`, text)
      bundles.set(id, read)
      return read
    } catch (error) {
      log.warn('a certificate cannot be read and is made again', { id, error: messageOf(error) })
      return undefined
    }
  }
  const keep = async (id: string, bundle: Bundle): Promise<void> => {
    await files.write(`${id}.pem`, bundle.pem)
    bundles.set(id, bundle)
  }
  const isYoung = (bundle: Bundle | undefined) => bundle !== undefined && clock.nowMs() < renewAtMs(bundle)

  /** What can be had at once. Throws for files that cannot be used. */
  const have = async (wish: CertificateWish): Promise<Bundle | undefined> => {
    const { certificate } = wish.tls
    const id = bundleId(wish)
    if (certificate.type === 'files') return readFiles(certificate.certificatePath, certificate.keyPath)
    if (certificate.type === 'own' && !isYoung(known(id))) await keep(id, authority.issue(hostsOf(wish)))
    return known(id)
  }

  const order = async (wish: CertificateWish, attempt: Attempt): Promise<void> => {
    const { certificate } = wish.tls
    const router = sink
    if (certificate.type !== 'acme' || router === undefined) return
    const id = bundleId(wish)
    try {
      const bundle = await orders.run(async () => {
        const wanted = {
          directoryUrl: certificate.directoryUrl,
          email: certificate.email,
          hosts: hostsOf(wish),
          accountFile: accountFile(certificate.directoryUrl),
        }
        return await orderCertificate(wanted, {
          transport,
          files,
          clock,
          publish: async (token, text) => await router.publish(token, text),
        })
      })
      await keep(id, bundle)
      attempts.delete(id)
      log.info('there is a new certificate', { hosts: hostsOf(wish).join(' '), until: new Date(bundle.untilMs).toISOString() })
    } catch (error) {
      attempt.failures += 1
      attempt.atMs = clock.nowMs() + backoffMs(ACME_BACKOFF, attempt.failures)
      attempt.problem = `no certificate yet: ${messageOf(error)}`
      log.warn('cannot get a certificate', {
        hosts: hostsOf(wish).join(' '),
        failures: attempt.failures,
        error: messageOf(error),
      })
    } finally {
      attempt.isUnderWay = false
      router.changed()
    }
  }

  const begin = (wish: CertificateWish) => {
    const id = bundleId(wish)
    if (wish.tls.certificate.type !== 'acme' || isYoung(known(id)) || isClosed) return
    const attempt = attempts.get(id) ?? { failures: 0, atMs: 0, problem: null, isUnderWay: false }
    attempts.set(id, attempt)
    if (attempt.isUnderWay || clock.nowMs() < attempt.atMs) return
    attempt.isUnderWay = true
    void order(wish, attempt)
  }

  /** What of files and of our own has to be shown anew is seen by the router, which asks for all of it again. */
  const seen = new Map<string, string>()
  const look = () => {
    timer = undefined
    let isChanged = false
    for (const wish of wishes) {
      begin(wish)
      const mark = markOf(wish)
      if (seen.get(bundleId(wish)) !== mark) isChanged = true
    }
    if (isChanged) sink?.changed()
    watch()
  }
  const markOf = (wish: CertificateWish): string => {
    const { certificate } = wish.tls
    if (certificate.type === 'files') return [certificate.certificatePath, certificate.keyPath].map(fileMark).join(' ')
    return certificate.type === 'own' ? String(isYoung(known(bundleId(wish)))) : ''
  }
  const watch = () => {
    if (!isClosed && wishes.length > 0) timer ??= clock.after(LOOK_MS, look)
  }

  const current = async (asked: readonly CertificateWish[]): Promise<CertificateState> => {
    wishes = asked
    seen.clear()
    const byRoute = new Map<string, { readonly id: string; readonly hosts: readonly string[]; readonly pem: string }>()
    const problems = new Map<string, string>()
    const ends: { readonly routeId: string; readonly hosts: readonly string[]; readonly untilMs: number }[] = []
    for (const wish of asked) {
      const id = bundleId(wish)
      try {
        const mark = markOf(wish)
        const bundle = await have(wish)
        seen.set(id, wish.tls.certificate.type === 'files' ? mark : markOf(wish))
        if (bundle !== undefined) ends.push({ routeId: wish.routeId, hosts: hostsOf(wish), untilMs: bundle.untilMs })
        if (bundle !== undefined) byRoute.set(wish.routeId, { id, hosts: hostsOf(wish), pem: bundle.pem })
        if (bundle !== undefined && clock.nowMs() > bundle.untilMs)
          problems.set(wish.routeId, `its certificate ended on ${new Date(bundle.untilMs).toISOString()}`)
      } catch (error) {
        seen.set(id, markOf(wish))
        problems.set(wish.routeId, messageOf(error))
      }
      begin(wish)
      const attempt = attempts.get(id)
      if (attempt !== undefined) problems.set(wish.routeId, attempt.problem ?? 'its certificate is being asked for')
    }
    expiries = ends
    watch()
    return { byRoute, fallback: { id: 'fallback', hosts: [], pem: fallback.pem }, problems }
  }

  return {
    current: async (asked) => await locks.run('current', async () => await current(asked)),
    connect: (router) => (sink = router),
    expiries: () => expiries,
    authority: authority.certificate,
    [Symbol.dispose]: () => {
      isClosed = true
      timer?.[Symbol.dispose]()
    },
  }
}

function hostsOf({ hosts }: CertificateWish): readonly string[] {
  return [...new Set(hosts.map((host) => host.toLowerCase()))].toSorted()
}

/** Routes that wish the same have the same. */
function bundleId(wish: CertificateWish): string {
  const { certificate } = wish.tls
  const content = JSON.stringify([certificate.type === 'acme' ? { ...certificate, email: null } : certificate, hostsOf(wish)])
  return `${certificate.type}-${createHash('sha256').update(content).digest('hex').slice(0, 16)}`
}

function accountFile(directoryUrl: string): string {
  return `account-${createHash('sha256').update(directoryUrl).digest('hex').slice(0, 16)}.pem`
}

function readFiles(certificatePath: string, keyPath: string): Bundle {
  const read = (path: string) => {
    try {
      if (statSync(path).size > MAX_FILE_BYTES) throw new Error(`it is larger than ${MAX_FILE_BYTES} bytes`)
      return readFileSync(path, 'utf8')
    } catch (error) {
      throw certificateError('certificate.invalid', `${path}: ${messageOf(error)}`, { cause: error })
    }
  }
  return makeBundle(certificatePath, read(certificatePath), read(keyPath))
}

function fileMark(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false, bigint: true })
  return stat === undefined ? 'none' : `${stat.mtimeNs}-${stat.size}-${stat.ino}`
}
