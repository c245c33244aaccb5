/** What the secrets of a build hold for a host: a whole header, or a token. For its plain and its encrypted port alike, as their ids have no scheme. */
export function authorizationFor(url: URL, secrets: ReadonlyMap<string, Buffer>): { readonly authorization?: string } {
  const [header, token] = ['HEADER', 'TOKEN'].map((kind) =>
    (secrets.get(`HTTP_AUTH_${kind}_${url.host}`) ?? secrets.get(`HTTP_AUTH_${kind}_${url.hostname}`))?.toString('utf8').trim(),
  )
  if (header !== undefined) return { authorization: header }
  return token === undefined ? {} : { authorization: `Bearer ${token}` }
}

/** The header that git is told to send: to the host of the remote, which is the only one that it asks. */
export function gitAuthorization(host: string, secrets: ReadonlyMap<string, Buffer>): string | undefined {
  const read = (id: string) => (secrets.get(`${id}.${host}`) ?? secrets.get(id))?.toString('utf8').trim()
  const header = read('GIT_AUTH_HEADER')
  if (header !== undefined) return header
  const token = read('GIT_AUTH_TOKEN')
  return token === undefined ? undefined : `basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`
}
