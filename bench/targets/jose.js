/** JWT access tokens verified with `jose` on bare node:http, by the algorithm of the settings. */
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { jwtVerify, SignJWT } from 'jose'
import { answerOf, readText, serveTool, writeJson } from './tool.js'

const ISSUER = 'https://id.example'

export function start({ server, origin, settings: { alg } }) {
  const keys = KEYS[alg]()
  const resource = `${origin}/mcp`
  server.on('request', (req, res) => {
    if (req.url === '/open') return serveTool(req, res)
    void call({ key: keys.publicKey, resource, alg }, req, res)
  })
  return {
    place: { paths: { mcp: '/mcp', open: '/open' }, resource },
    seed: (count) => Promise.all(Array.from({ length: count }, () => sign(keys, alg, resource))),
  }
}

const KEYS = {
  HS256() {
    const secret = randomBytes(32)
    return { publicKey: secret, privateKey: secret }
  },
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: () => generateKeyPairSync('ed25519'),
}

async function sign({ privateKey }, alg, resource) {
  const claims = { client_id: 'client', scope: 'notes:read', jti: randomBytes(16).toString('hex') }
  const token = new SignJWT(claims).setProtectedHeader({ alg, typ: 'at+jwt' }).setIssuedAt()
  token.setIssuer(ISSUER).setAudience(resource).setSubject('ada').setExpirationTime('1d')
  return { access_token: await token.sign(privateKey) }
}

async function call({ key, resource, alg }, req, res) {
  const text = await readText(req)
  const [, token] = /^Bearer (.+)$/.exec(req.headers.authorization ?? '') ?? []
  const rules = { issuer: ISSUER, audience: resource, algorithms: [alg], typ: 'at+jwt' }
  const verified = await jwtVerify(token ?? '', key, rules).catch(() => undefined)
  if (verified === undefined) return writeJson(res, '{"error":"invalid_token"}', 401)
  writeJson(res, answerOf(JSON.parse(text)))
}
