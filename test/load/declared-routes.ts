/** Routes as a Compose file declares them, each with its own host; `old` is the port of something that is no container. */
export function routesFile(port: number, securePort: number, proxiedPort: number, oldPort: number, passwordHash: string): string {
  const route = (host: string, more: string) =>
    `        - { address: 127.0.0.1, port: ${port}, target_port: 8080, hosts: [${host}.test], ${more} }\n`
  return `name: shop
services:
  web:
    image: task-server
    command: [/bin/task-server]
    environment: { VERSION: v1 }
    stop_grace_period: 1s
    deploy: { replicas: 2 }
    x-glovebox:
      routes:
${route('plain', 'balance: round-robin')}${route('headers', 'response_headers: { set: { X-Shop: "5 % off" }, remove: [X-Version] }')}${route('limited', 'rate_limit: { requests: 3, per: 1m }')}${route('sticky', 'sticky: { cookie: sid }')}${route('closed', `basic_auth: { realm: Shop, users: { ann: "${passwordHash.replaceAll('$', '$$$$')}" } }`)}${route('denied', 'deny: [127.0.0.0/8]')}${route('packed', 'compress: true')}${route('live', 'path: /live, replace_path: /events')}        - { address: 127.0.0.1, port: ${port}, hosts: [away.test], redirect: { scheme: https, host: new.test, status: 308 } }
        - { address: 127.0.0.1, port: ${securePort}, target_port: 8080, hosts: [secure.test], tls: { own: true, redirect_from: ${port} } }
        - { address: 127.0.0.1, port: ${proxiedPort}, target_port: 8080, proxy_protocol: true, allow: [127.0.0.1] }
        - address: 127.0.0.1
          port: ${port}
          hosts: [moved.test]
          targets: [{ service: web, port: 8080, share: 3 }, { address: 127.0.0.1, port: ${oldPort}, share: 1, name: old }]
`
}
