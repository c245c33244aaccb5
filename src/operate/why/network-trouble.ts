import { nearest } from '#base'

import type { Diagnosis } from './diagnosis.ts'
import { containerSubjects, serviceSubjects, whoIs, type Scene } from './scene.ts'
import { counted, listed, sentence, span } from './words.ts'

/** Names without an answer, connections that the policy refuses, subnets that are used up. */
export function diagnoseNetworks(scene: Scene): readonly Diagnosis[] {
  return [...unknownNames(scene), ...refusedConnections(scene), ...pools(scene)]
}

/** What was asked longer ago may have been put right since: nobody asks for it any more. */
const ASKED_LATELY_MS = 10 * 60_000

function unknownNames(scene: Scene): readonly Diagnosis[] {
  return scene.names.flatMap((asked): readonly Diagnosis[] => {
    const container = scene.containerById(asked.containerId)
    const agoMs = scene.nowMs - asked.lastAtMs
    if (container === undefined || agoMs > ASKED_LATELY_MS || asked.known.includes(asked.name)) return []
    const who = whoIs(scene, container)
    const meant = nearest(asked.name, asked.known)
    const isOurs = !asked.name.includes('.') || meant !== undefined
    const isSilent = asked.kind === 'silent' && !isOurs
    const times = `asked ${counted(asked.times, 'time')}, last ${span(agoMs)} ago`
    return [
      {
        code: isSilent ? 'name.silent' : 'name.unknown',
        // Programs try names of the outer world that they do not need.
        severity: isOurs ? 'warning' : 'note',
        about: containerSubjects(scene, container),
        because: [],
        sentence: sentence(
          isSilent
            ? `${who} asks for ${asked.name}, and no name server answers`
            : `${who} asks for ${asked.name}, and nobody has that name${meant === undefined ? '' : `: ${meant} is near`}`,
        ),
        evidence: [
          times,
          asked.known.length === 0 ? 'no names are known on its networks' : `names on its networks: ${listed(asked.known, 8)}`,
        ],
        advice:
          meant !== undefined
            ? `Write ${meant}, if that is meant.`
            : isSilent
              ? "See the host's name servers (`glovebox doctor`) and its way out."
              : 'Services are found by those who share a network with them: see the spelling and `networks:`.',
        sinceMs: asked.lastAtMs,
      },
    ]
  })
}

function refusedConnections(scene: Scene): readonly Diagnosis[] {
  return scene.refused.map(({ from, to, protocol, port, packets, rule }) => {
    const at = port === 0 ? protocol : `${protocol}/${port}`
    const parties = scene.services.filter((service) => [from, to].includes(`${service.stack ?? ''}/${service.shortName}`))
    const about = parties.flatMap(serviceSubjects).filter(({ kind }) => kind !== 'image')
    return {
      code: 'policy.refused',
      severity: 'warning',
      about: about.length === 0 ? [{ kind: 'service', id: from, name: from }] : about,
      because: [],
      sentence: sentence(`${from} tried to talk to ${to} at ${at}, and the policy refuses it`),
      evidence: [`rule: ${rule}`, `${counted(packets, 'packet')} within the last hour`],
      advice: `If it is to be allowed, let ${to} allow it (x-glovebox: policy: allow); \`glovebox policy check ${from} ${to}${port === 0 ? '' : `:${port}`}\` explains it.`,
      sinceMs: null,
    } as const
  })
}

function pools({ pools: { total, used, ranges }, host, nodes }: Scene): readonly Diagnosis[] {
  if (total === 0 || used < total) return []
  const name = nodes.find(({ id }) => id === host.nodeId)?.hostname ?? 'this machine'
  return [
    {
      code: 'network.pools_used_up',
      severity: 'warning',
      about: [{ kind: 'node', id: host.nodeId, name }],
      because: [],
      sentence: `No subnet is left for a new network: ${counted(total, 'subnet')} of the address pools ${total === 1 ? 'is' : 'are'} in use.`,
      evidence: [`pools: ${listed(ranges, 6)}`],
      advice:
        'Remove networks that nobody uses (`glovebox network prune`), give the daemon another --default-address-pool, or name subnets yourself.',
      sinceMs: null,
    },
  ]
}
