/** Which requests go to which tasks: routes from what is wanted and from the tasks that are ready, and the loop that tells the router of each change. */
export { startRouteLoop, type RouteLoop, type RouteLoopPorts } from './loop.ts'
export { planRoutes, type PlannedRoutes, type RevisionTraffic, type RoutedService } from './plan.ts'
export type { RouteBackend, RouteFailure, RouteGroup, RoutePort, RouteSpec } from './route-port.ts'
