import type { RecordStore, RecordTable } from '#base'
import type { Events } from '#engine/events'
import type { Host } from '#host'

import { EVENT_STEPS, PORT_STEPS, RECORD_STEPS, type PortName } from './steps.ts'

/** Puts itself before the steps of a port. Without a failpoint it gives every port back as it is. */
export interface Failpoints {
  port<T extends object>(name: PortName, port: T): T
  host(host: Host): Host
  records<T extends RecordStore>(store: T): T
  events<T extends Events>(events: T): T
  /** What came before counts as `recovery`, whatever step it is. */
  ready(): void
}

export const noFailpoints: Failpoints = {
  port: (_name, port) => port,
  host: (host) => host,
  records: (store) => store,
  events: (events) => events,
  ready: () => undefined,
}

type Hit = (name: string) => void
type Call = (...args: readonly unknown[]) => unknown

/** `hit` is told of each step right before it is taken. */
export function failpointsAt(hit: Hit): Failpoints {
  let isReady = false
  const tell: Hit = (name) => hit(isReady ? name : 'recovery')
  const port: Failpoints['port'] = (name, given) =>
    watched(given, PORT_STEPS[name], (step) => tell(`${name}.${step}`), insideOf(name, tell))
  return {
    port,
    host: (host) =>
      over(host, {
        mounts: port('mounts', host.mounts),
        files: port('files', host.files),
        namespaces: port('namespaces', host.namespaces),
        links: port('links', host.links),
        nftables: port('nftables', host.nftables),
        netfilter: port('netfilter', host.netfilter),
        kernel: port('kernel', host.kernel),
        sockets: port('sockets', host.sockets),
        cgroups: port('cgroups', host.cgroups),
      }),
    records: (store) =>
      over(store, {
        table: <T>(name: string): RecordTable<T> =>
          watched(store.table<T>(name), RECORD_STEPS[name] ?? [], (step) => tell(`records.${name}.${step}`)),
      }),
    events: (events) =>
      over(events, {
        publish: (event: Parameters<Events['publish']>[0]) => {
          const action = event.action.split(':')[0] ?? ''
          if (EVENT_STEPS[event.type]?.includes(action) === true) tell(`events.${event.type}.${action}`)
          events.publish(event)
        },
      }),
    ready: () => {
      isReady = true
    },
  }
}

/** The same port, of which some members are others. The rest is not copied, so that getters stay getters. */
function over<T extends object>(port: T, members: object): T {
  return Object.create(port, Object.getOwnPropertyDescriptors(members))
}

type Inside = (step: string, options: unknown) => unknown

function watched<T extends object>(
  port: T,
  steps: readonly string[],
  tell: Hit,
  inside: Inside = (_step, options) => options,
): T {
  const calls = Object.entries(port as Readonly<Record<string, Call>>).filter(([name]) => steps.includes(name))
  return over(
    port,
    Object.fromEntries(
      calls.map(([name, call]) => [
        name,
        (...args: readonly unknown[]) => {
          tell(name)
          return call(...args.map((arg) => inside(name, arg)))
        },
      ]),
    ),
  )
}

/** Some calls tell their caller how far they are: these moments count as steps too. */
function insideOf(port: PortName, tell: Hit): Inside {
  if (port === 'content')
    return (step, options) =>
      step === 'ingestLayer' && has(options, 'beforeVisible')
        ? told(options, 'beforeVisible', () => tell('content.ingestLayer.written'))
        : options
  if (port === 'runtime')
    return (step, options) =>
      step === 'start' || step === 'exec' ? told(options, 'onConnected', () => tell(`runtime.${step}.connected`)) : options
  return (_step, options) => options
}

function has(options: unknown, key: string): boolean {
  return typeof options === 'object' && options !== null && key in options
}

/** The same options, with `first` called before what they have under this key. */
function told(options: unknown, key: string, first: () => void): object {
  const given = options as Readonly<Record<string, Call | undefined>>
  const call: Call = (...args) => {
    first()
    return given[key]?.(...args)
  }
  return { ...given, [key]: call }
}
