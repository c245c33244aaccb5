/** Answer of `GET /glovebox/v1/policy`. */
export interface PolicyReport {
  /** False: the kernel does not show what passes between neighbours on one network. */
  readonly isEnforced: boolean
  readonly mayTalk: readonly MayTalkLine[]
  /** Within the last hour. */
  readonly refused: readonly RefusedLine[]
}

/** One line of who may talk to whom. */
export interface MayTalkLine {
  /** `shop/web`, or `shop/*` for all of an application. */
  readonly from: string
  readonly to: string
  /** `every port`, `tcp/5432, udp/53`. */
  readonly ports: string
  readonly rule: string
}

/** Connections that were tried and refused. */
export interface RefusedLine {
  readonly from: string
  readonly to: string
  readonly protocol: string
  /** 0 where the protocol has none. */
  readonly port: number
  readonly packets: number
}

/** Answer of `GET /glovebox/v1/policy/check?from=shop/web&to=shop/db:5432`. */
export interface PolicyCheck {
  readonly from: string
  readonly to: string
  readonly protocol: string
  /** 0: of a protocol without ports. */
  readonly port: number
  readonly isAllowed: boolean
  /** What decided, for people. */
  readonly rule: string
  /** On which they meet; of an address outside, those that lead there. */
  readonly networks: readonly string[]
}

/** One of `GET /glovebox/v1/addresses`: a service on one of its networks. */
export interface ServiceAddressLine {
  /** null: it stands alone. */
  readonly stack: string | null
  readonly service: string
  readonly network: string
  /** Its own addresses there; empty: its name is answered with those of its tasks. */
  readonly virtual: readonly string[]
  /** Of its ready tasks. */
  readonly backends: readonly string[]
}

/** Answer of `GET /glovebox/v1/addresses/explain?from=shop/web&name=db`. */
export interface NameMeaning {
  readonly name: string
  /** null: it is no service's there. Empty: of a service with nobody to answer. */
  readonly addresses: readonly string[] | null
  /** One line for people. */
  readonly reason: string
  /** Services of that name, wherever they are. */
  readonly holders: readonly NameHolderLine[]
}

export interface NameHolderLine extends ServiceAddressLine {
  /** Who asks is on that network too. */
  readonly isShared: boolean
}
