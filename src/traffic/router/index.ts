/**
 * The router: published ports of services, spread over their healthy tasks by one HAProxy. Backends change through its runtime socket,
 * ports by reloads that lose no connection. It outlives the daemon and is found again by its files.
 */
export { proxyConfig, type ConfigOptions, type ProxyConfig } from './config.ts'
export { routeError } from './errors.ts'
export { nodeProcesses } from './haproxy-process.ts'
export type { Backend, ProcessPort, ProxyServer, Route, RouteFailure, Router, RouterStatus } from './port.ts'
export { openRouter, type RouterOptions } from './router.ts'
