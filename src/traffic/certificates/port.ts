import type { RouteRule } from '#cluster/spec'

/** Certificates for the routes that end TLS here, and the proofs that an ACME server asks for. */
export interface Certificates extends Disposable {
  /** What there is now, at once. What has still to come from elsewhere comes later, and `connect`'s `changed` says so. */
  current(wishes: readonly CertificateWish[]): Promise<CertificateState>
  connect(router: ChallengeSink): void
  /** Of those that were asked for last, as far as there are any: when each ends. */
  expiries(): readonly { readonly routeId: string; readonly hosts: readonly string[]; readonly untilMs: number }[]
  /** PEM of the own CA's certificate, for clients that are to trust it. */
  readonly authority: string
}

export interface ChallengeSink {
  /** Resolves when `/.well-known/acme-challenge/<token>` answers so on every entry for plain HTTP; null: does not answer any more. */
  publish(token: string, text: string | null): Promise<void>
  /** There is a newer certificate: `current` is to be asked again. */
  changed(): void
}

export interface CertificateWish {
  readonly routeId: string
  readonly hosts: readonly string[]
  readonly tls: NonNullable<RouteRule['tls']>
}

export interface CertificateState {
  /** By route id; absent: none yet. */
  readonly byRoute: ReadonlyMap<string, CertificateBundle>
  /** Shown to clients who ask for a host without a certificate. */
  readonly fallback: CertificateBundle
  /** By route id: why there is none, or none that is new. */
  readonly problems: ReadonlyMap<string, string>
}

export interface CertificateBundle {
  /** Lower-case letters, digits and `-`: stays the same when it is renewed. */
  readonly id: string
  /** Empty: those that the certificate itself names. */
  readonly hosts: readonly string[]
  /** Chain with the host's certificate first, then the key. */
  readonly pem: string
}
