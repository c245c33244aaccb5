/** The part of the table that never changes: sets without their elements, and the rules that look at them. */

const FAMILIES = [
  { family: 4, ip: 'ip', type: 'ipv4_addr' },
  { family: 6, ip: 'ip6', type: 'ipv6_addr' },
] as const

type Lines = readonly (readonly [string, readonly string[]])[]

/** Refused attempts are kept so long, and so many; what is tried beyond them is refused all the same, but not told. */
const ATTEMPTS_KEPT = '1h'
const MAX_ATTEMPTS = 4096

export const SETS: ReadonlyMap<string, readonly string[]> = new Map(
  FAMILIES.flatMap(({ family, type }): Lines => {
    const region = 'inet_proto . inet_service'
    return [
      // Numbers of the application and of the service that an address belongs to.
      [`stacks${family}`, [`type ${type} : mark`]],
      [`services${family}`, [`type ${type} : mark`]],
      [`inside${family}`, [`type mark . ${type}`]],
      [`allowed${family}`, [`type mark . ${type} . ${region}`, 'flags interval']],
      [`open${family}`, [`type ${type} . ${region}`, 'flags interval']],
      [`shut${family}`, [`type ${type}`]],
      [`outlets${family}`, [`type ${type} . ${type} . ${region}`, 'flags interval']],
      [`barred${family}`, [`type ${type} . ${type} . ${region}`, 'flags interval']],
      [`subnets${family}`, [`type ${type}`, 'flags interval']],
      [`gateways${family}`, [`type ${type}`]],
      [`logged${family}`, [`type ${type}`]],
      [
        `attempts${family}`,
        [`type ${type} . ${type} . ${region}`, `size ${MAX_ATTEMPTS}`, 'flags dynamic,timeout', `timeout ${ATTEMPTS_KEPT}`],
      ],
    ]
  }).concat([['bridges', ['type ifname']]]),
)

export const CHAINS: ReadonlyMap<string, readonly string[]> = new Map([
  [
    // Before the networks' own table. An accept here leaves the word to that one; a refusal is final.
    'passing',
    ['type filter hook forward priority filter - 10; policy accept;', 'ct state new jump judged'],
  ],
  ['judged', [...FAMILIES.flatMap(published), ...FAMILIES.flatMap(byAddress)]],
  ...FAMILIES.flatMap(({ family, ip }): Lines => [
    [`between${family}`, between(family, ip)],
    [`leaving${family}`, leaving(family, ip)],
    [`refused${family}`, refused(family, ip)],
  ]),
])

/** A port that the host publishes is everybody's. Services' own addresses lie inside the networks, and are not the host's. */
function published({ family, ip }: (typeof FAMILIES)[number]): readonly string[] {
  const translated = `meta nfproto ipv${family} ct status dnat ct original ${ip} daddr`
  return [`${translated} != @subnets${family} accept`, `${translated} @gateways${family} accept`]
}

function byAddress({ family, ip }: (typeof FAMILIES)[number]): readonly string[] {
  return [
    `${ip} saddr @stacks${family} ${ip} daddr @stacks${family} goto between${family}`,
    `${ip} saddr @stacks${family} oifname != @bridges goto leaving${family}`,
  ]
}

/** The packet's mark carries the number from one set to the next, and is nothing again afterwards. */
function between(family: 4 | 6, ip: string): readonly string[] {
  const region = 'meta l4proto . th dport'
  const allowed = `meta mark . ${ip} daddr . ${region} @allowed${family} meta mark set 0 accept`
  const inside = `meta mark . ${ip} daddr @inside${family} meta mark set 0 accept`
  return [
    `${ip} daddr . ${region} @open${family} accept`,
    ...['stacks', 'services'].flatMap((map) => [`meta mark set ${ip} saddr map @${map}${family}`, inside, allowed]),
    'meta mark set 0',
    `goto refused${family}`,
  ]
}

function leaving(family: 4 | 6, ip: string): readonly string[] {
  const target = `${ip} saddr . ${ip} daddr . meta l4proto . th dport`
  return [
    `${target} @outlets${family} accept`,
    `${ip} saddr @shut${family} goto refused${family}`,
    `${target} @barred${family} goto refused${family}`,
  ]
}

function refused(family: 4 | 6, ip: string): readonly string[] {
  const log = 'limit rate 10/second burst 20 packets log prefix "glovebox policy: "'
  return [
    `update @attempts${family} { ${ip} saddr . ${ip} daddr . meta l4proto . th dport counter }`,
    `${ip} saddr @logged${family} ${log}`,
    `${ip} daddr @logged${family} ${log}`,
    // Said at once, and not as a refusal of the target would be: "no route to host".
    'reject with icmpx type admin-prohibited',
  ]
}
