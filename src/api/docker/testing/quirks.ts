/** Where Docker's own answers are not as their description says. Clients know the answers; what stands here has been seen to be so. */
export interface Quirk {
  /** Of a finding: its path, what is wrong, and the field that is one too many. */
  readonly finding: RegExp
  readonly why: string
  /** The last minor version with it; later ones must not have it any more. */
  readonly until?: number
}

export const QUIRKS: readonly Quirk[] = [
  {
    finding: /\/HostConfig\/MemorySwappiness must be integer$/,
    why: 'a pointer in Go, null unless it was set; the description does not mark it',
  },
  { finding: /^\/ExitCode must be integer$/, why: 'of an exec that runs: null, which is how clients tell' },
  {
    finding: /^(\/\d+)? must NOT have additional properties: (status|id|from)$/,
    why: 'events carry the form of before 1.22 beside the new one, undescribed',
    until: 51,
  },
  {
    finding: /properties: ExecutionDriver$/,
    why: 'what clients of that time read; the oldest description here is younger',
    until: 24,
  },
  { finding: /properties: BuilderSize$/, why: 'seen in dockerd 20.10; the description left it out', until: 41 },
  { finding: /properties: Container(Config)?$/, why: 'ended before the next version that is described here', until: 44 },
  { finding: /properties: VirtualSize$/, why: 'ended before the next version that is described here', until: 43 },
  {
    finding: /properties: (Bridge|AllowNondistributable)\w+$/,
    why: 'ended before the next version that is described here',
    until: 49,
  },
  {
    finding: /^\/Config must NOT have additional properties: (Hostname|Domainname|Attach\w+|Tty|OpenStdin|StdinOnce|Image)$/,
    why: 'of images: ended before the next version that is described here',
    until: 49,
  },
  {
    finding: /^ must (have required property 'Id'|NOT have additional properties: ID)$/,
    why: 'of new secrets and configs: Go writes ID, which is what clients read; the description says Id',
  },
  {
    finding:
      /NetworksAttachments\/\d+\/Network must NOT have additional properties: (ID|CreatedAt|UpdatedAt|Spec|DriverState|IPAMOptions)$/,
    why: 'of tasks: swarm mode’s own form of a network, as the example beside the definition has it',
  },
  {
    finding: /^ must NOT have additional properties: Services$/,
    why: 'of a network with `verbose`; the description says "TODO"',
  },
  { finding: /^ must NOT have additional properties: Peers$/, why: 'of overlays, before the description had it', until: 41 },
  { finding: /\/Status must NOT have additional properties: PortStatus$/, why: 'of tasks, seen in dockerd 20.10', until: 41 },
  { finding: /properties: PreviousSpec$/, why: 'of a service that was updated: undescribed, and what a rollback goes back to' },
]
