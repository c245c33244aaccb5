import type { DockerRoute, RouteHandle } from '../call.ts'
import { streamServiceLogs, streamTaskLogs } from './log-routes.ts'
import * as nodes from './node-routes.ts'
import { secretRoutes } from './secret-routes.ts'
import * as services from './service-routes.ts'
import * as swarm from './swarm-routes.ts'
import { inspectTask, listTasks } from './task-routes.ts'

const get = (path: string, handle: RouteHandle): DockerRoute => ({ method: 'GET', path, handle })
const post = (path: string, handle: RouteHandle): DockerRoute => ({ method: 'POST', path, handle })
const del = (path: string, handle: RouteHandle): DockerRoute => ({ method: 'DELETE', path, handle })

/** The operations of swarm mode, but for joining another machine's. */
export function swarmRoutes(): readonly DockerRoute[] {
  return [
    get('/swarm', swarm.inspectSwarm),
    post('/swarm/init', swarm.initSwarm),
    post('/swarm/join', swarm.joinSwarm),
    post('/swarm/update', swarm.updateSwarm),
    post('/swarm/leave', swarm.leaveSwarm),
    get('/swarm/unlockkey', swarm.inspectUnlockKey),
    post('/swarm/unlock', swarm.unlockSwarm),
    get('/services', services.listServices),
    post('/services/create', services.createService),
    get('/services/{id}', services.inspectService),
    del('/services/{id}', services.removeService),
    post('/services/{id}/update', services.updateService),
    get('/services/{id}/logs', streamServiceLogs),
    get('/tasks', listTasks),
    get('/tasks/{id}', inspectTask),
    get('/tasks/{id}/logs', streamTaskLogs),
    get('/nodes', nodes.listNodes),
    get('/nodes/{id}', nodes.inspectNode),
    del('/nodes/{id}', nodes.removeNode),
    post('/nodes/{id}/update', nodes.updateNode),
    ...secretTable('secret'),
    ...secretTable('config'),
  ]
}

function secretTable(kind: 'secret' | 'config'): readonly DockerRoute[] {
  const routes = secretRoutes(kind)
  return [
    get(`/${kind}s`, routes.list),
    post(`/${kind}s/create`, routes.create),
    get(`/${kind}s/{id}`, routes.inspect),
    del(`/${kind}s/{id}`, routes.remove),
    post(`/${kind}s/{id}/update`, routes.update),
  ]
}
