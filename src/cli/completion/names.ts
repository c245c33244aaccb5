import { shortId } from '#base'
import type { Client, DockerContainerSummary } from '#client'

import type { Named } from '../args/flags.ts'
import { printable } from '../output/colour.ts'
import type { Completion } from './completion.ts'

/** More names than this are no choice. */
const MAX_NAMES = 1000
/** Ids are offered to those who have begun to type one. */
const LOOKS_LIKE_ID = /^[0-9a-f]{2,}$/

/** Names that the daemon knows. One call each, for it is waited for between two keys. */
export async function namesOf(names: Named, typed: string, client: Client): Promise<readonly Completion[]> {
  const found = await lookUp(names, typed, client)
  return found.slice(0, MAX_NAMES).map(({ word, about }) => ({ word: printable(word), about: printable(about) }))
}

async function lookUp(names: Named, typed: string, client: Client): Promise<readonly Completion[]> {
  switch (names) {
    case 'container':
      return await containers(client, typed, undefined)
    case 'running':
      return await containers(client, typed, ['running'])
    case 'paused':
      return await containers(client, typed, ['paused'])
    case 'stopped':
      return await containers(client, typed, ['created', 'exited', 'dead'])
    case 'image':
    case 'repository':
      return await images(client, typed, names === 'image')
    case 'network':
      return (await client.networks.list(undefined)).map(({ Name, Driver }) => ({ word: Name, about: Driver }))
    case 'volume':
      return (await client.volumes.list(undefined)).map(({ Name, Driver }) => ({ word: Name, about: Driver }))
    case 'stack':
      return (await client.glovebox.stacks()).map(({ name, state }) => ({ word: name, about: state }))
    case 'service':
      return await services(client)
    case 'service-or-image':
      return [...(await services(client)), ...(await images(client, typed, true))]
    case 'running-or-service':
      return [...(await containers(client, typed, ['running'])), ...(await services(client))]
    case 'node':
      return (await client.nodes.list()).map(({ hostname, state, availability }) => ({
        word: hostname,
        about: `${state}, ${availability}`,
      }))
    case 'environment':
      return (await client.environments.list()).map(({ name, application }) => ({ word: name, about: application }))
    case 'application': {
      const [stacks, environments] = await Promise.all([client.glovebox.stacks(), client.environments.list()])
      return [
        ...stacks.map(({ name, state }) => ({ word: name, about: state })),
        ...environments.map(({ name, application }) => ({ word: name, about: application })),
      ]
    }
    case 'job':
      return (await client.jobs.list()).map(({ name, state, job }) => ({
        word: name,
        about: `${job.schedule?.cron ?? 'once'}, ${state}`,
      }))
    case 'run':
      return (await client.jobs.list()).flatMap(({ name, underWay, last }) =>
        [...new Set([...underWay, ...(last === null ? [] : [last.name])])].map((word) => ({ word, about: name })),
      )
    case 'secret':
    case 'config':
      return (await client.secrets.list(names)).map(({ name, version }) => ({ word: name, about: `version ${version}` }))
    case 'route':
      return (await client.routes.list()).map(({ id, hosts, hostPort }) => ({ word: id, about: [...hosts, hostPort].join(' ') }))
    case 'object': {
      const kinds = ['container', 'image', 'network', 'volume'] as const
      return (await Promise.all(kinds.map((kind) => lookUp(kind, typed, client)))).flat()
    }
    case 'anything': {
      const kinds = ['stack', 'service', 'container', 'route'] as const
      return (await Promise.all(kinds.map((kind) => lookUp(kind, typed, client)))).flat()
    }
    case 'file':
    case 'directory':
      return []
  }
}

/** Those with an address, which policies know, and those of the cluster. */
async function services(client: Client): Promise<readonly Completion[]> {
  const [known, addressed] = await Promise.all([client.services.list(), client.policy.addresses()])
  const named = known.map(({ title, state }) => ({ word: title, about: state }))
  const words = new Set(named.map(({ word }) => word))
  const others = addressed.map(({ stack, service, network }) => ({
    word: stack === null ? service : `${stack}/${service}`,
    about: network,
  }))
  return [...named, ...others.filter(({ word }) => !words.has(word))]
}

async function containers(client: Client, typed: string, states: readonly string[] | undefined): Promise<readonly Completion[]> {
  const filters = states === undefined ? undefined : JSON.stringify({ status: states })
  const found = await client.containers.list({ all: true, filters })
  return found.flatMap((one) => containerWords(one, typed))
}

function containerWords(one: DockerContainerSummary, typed: string): readonly Completion[] {
  const about = `${one.Image}, ${one.Status}`
  const names = one.Names.map((name) => ({ word: name.replace(/^\//, ''), about }))
  return LOOKS_LIKE_ID.test(typed) ? [...names, { word: shortId(one.Id), about }] : names
}

async function images(client: Client, typed: string, withIds: boolean): Promise<readonly Completion[]> {
  const found = await client.images.list({})
  return found.flatMap((image) => {
    const tags = (image.RepoTags ?? []).filter((name) => name !== '<none>:<none>')
    // `busybox` says as much as `busybox:latest`, and is what people type.
    const names = tags.flatMap((name) => (name.endsWith(':latest') ? [name.slice(0, -':latest'.length), name] : [name]))
    const id = shortId(image.Id)
    const ids = withIds && LOOKS_LIKE_ID.test(typed) ? [id] : []
    return [...names, ...ids].map((word) => ({ word, about: id }))
  })
}
