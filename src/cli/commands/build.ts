import { bytes, choice, isSet, list, naming, number, refused, text } from '../args/flags.ts'
import { buildFromFlags } from '../build/from-flags.ts'
import { command } from '../command.ts'

const NOT_YET = 'the builder cannot do it yet'

export const buildFlags = {
  tag: list('NAME[:TAG]', 'Name of the image', 't'),
  file: naming('file', text('FILE', 'The Dockerfile (default DIRECTORY/Dockerfile); - is the standard input', 'f')),
  'build-arg': list('NAME=VALUE', 'Argument; NAME alone takes the value from here'),
  label: list('NAME=VALUE', 'Label of the image'),
  target: text('STAGE', 'Build this stage'),
  secret: list('id=NAME[,src=FILE|,env=VAR]', 'For RUN --mount=type=secret; never part of the image'),
  ssh: list('default|NAME[=SOCKET]', 'SSH agent for RUN --mount=type=ssh'),
  allow: list('ENTITLEMENT', 'Let steps have network.host or security.insecure'),
  network: text('MODE', 'Network of RUN: default, none or host'),
  platform: list('OS/ARCH[,...]', 'Build for these platforms (default: that of the daemon)'),
  'build-context': list(
    'NAME=PLACE',
    'What a name in FROM or --from stands for: docker-image://IMAGE, target:STAGE or an address',
  ),
  pull: isSet('Look for newer base images'),
  'no-cache': isSet('Run every instruction anew'),
  'no-cache-filter': list('STAGE', 'Run every instruction of this stage anew'),
  'cache-from': list(
    'REF|type=...',
    'Take results from a registry (type=registry,ref=) or a directory of the daemon (type=local,src=)',
  ),
  'cache-to': list(
    'REF|type=...',
    'Give results away: type=registry,ref=, type=local,dest= or type=inline; mode=max for all stages',
  ),
  output: list(
    'DIR|type=...',
    'Where the result goes: type=local|tar|oci|docker,dest= or type=image,push= (- is standard output)',
    'o',
  ),
  push: isSet('Send the image to its registry afterwards'),
  load: isSet('Keep the image on the daemon, besides other outputs'),
  attest: list('type=...', 'Say with the image how it was made: type=provenance,mode=min|max or type=sbom'),
  provenance: text('true|false|mode=...', 'Short for --attest type=provenance'),
  sbom: text('true|false', 'Short for --attest type=sbom'),
  memory: bytes('Memory of each step', 'm'),
  'shm-size': bytes('Size of /dev/shm of each step'),
  'cpu-shares': number('N', 'Weight of each step among those that want the processor', 'c'),
  'cpu-period': number('US', 'Period of the quota, in microseconds'),
  'cpu-quota': number('US', 'Microseconds of processor time in each period'),
  'cpuset-cpus': text('CPUS', 'Processors of each step: 0-3, 0,1'),
  progress: choice(['auto', 'plain', 'tty', 'quiet', 'rawjson'], 'How the build is shown (default auto)'),
  quiet: isSet("Only the image's id", 'q'),
  iidfile: naming('file', text('FILE', "Write the image's id there")),
  'metadata-file': naming('file', text('FILE', 'Write what was built there, as JSON')),
  check: isSet('Look for likely mistakes, and build nothing'),
  call: choice(
    ['build', 'check', 'outline', 'targets'],
    'Build, look for mistakes, or tell what the target takes or which targets there are',
  ),
  service: list('NAME', 'Without a context: only these services of the Compose file'),
  profile: list('PROFILE', 'Without a context: also the services of this profile'),
  annotation: refused(NOT_YET),
  'add-host': refused(NOT_YET),
  ulimit: refused(NOT_YET),
  'memory-swap': refused(NOT_YET),
  'cpuset-mems': refused(NOT_YET),
  'cgroup-parent': refused(NOT_YET),
  builder: refused('there is one builder'),
  isolation: refused('it is for containers of Windows'),
  squash: refused('layers are not merged', false),
  compress: refused('the context is sent as it is', false),
  'disable-content-trust': refused('signatures of images are not checked; pull by digest to pin what you run', false),
} as const

export const build = command({
  name: 'build',
  usage: '[FLAGS] [DIRECTORY|-]',
  summary: 'Build an image from a Dockerfile, or the images of a Compose file.',
  description:
    'Only what changed since the last build of a directory is sent to the daemon. With - an archive or a Dockerfile is read from the standard input.\n\nWithout a directory the services of the Compose file in this one are built, several at a time.',
  examples: [
    ['build -t app:1 .', 'the Dockerfile in this directory'],
    ['build -f deploy/Dockerfile --build-arg VERSION=2 -t app:2 .', 'another file, with an argument'],
    ['build --secret id=token,env=TOKEN --ssh default .', 'with a secret and your SSH agent'],
    ['build --check .', 'what is likely wrong with the Dockerfile'],
    ['build --service web', 'the image of a service'],
    ['build -o out .', 'the files of the result in a directory'],
    ['build --platform linux/amd64,linux/arm64 --push -t registry.example.org/app:1 .', 'for two platforms, to a registry'],
  ],
  flags: buildFlags,
  operands: { min: 0, max: 1 },
  completes: ['directory'],
  run: async ({ flags, operands }, context) => await buildFromFlags(flags, operands[0], context),
})
