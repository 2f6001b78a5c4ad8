import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'

export interface LocalIssuer {
  url: string
  /** what the runner of an Action is given, to fetch a token with */
  requestUrl: string
  requestToken: string
  stop: () => void
}

/** Stands for GitHub's OIDC provider: serves its key, and tokens with the claims to who has the request token. */
export async function startLocalIssuer(claims: Record<string, string>): Promise<LocalIssuer> {
  const { publicKey, privateKey } = await generateKeyPair('RS256')
  const jwk = { ...(await exportJWK(publicKey)), kid: 'local', alg: 'RS256', use: 'sig' }
  const requestToken = 'what-the-runner-is-given'
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url!, issuer)
    if (pathname === '/.well-known/jwks') {
      response.end(JSON.stringify({ keys: [jwk] }))
    } else if (pathname === '/token' && request.headers.authorization === `Bearer ${requestToken}`) {
      const value = await new SignJWT(claims)
        .setProtectedHeader({ alg: 'RS256', kid: 'local' })
        .setIssuer(issuer)
        .setAudience(searchParams.get('audience') ?? '')
        .setSubject('repo:owner/repo:ref:refs/heads/main')
        .setIssuedAt()
        .setExpirationTime('5m')
        .sign(privateKey)
      response.end(JSON.stringify({ count: value.length, value }))
    } else {
      response.writeHead(403).end('no')
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: issuer,
    requestUrl: `${issuer}/token?api-version=2.0`,
    requestToken,
    stop: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
