/**
 * What every server must do once its author has made the changes, as a suite over the server as it runs: a
 * process of its own, in a project of its own, called by the official client.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { textOf } from '../e2e/support/notes_server.ts'
import { call, post } from '../support/flow.ts'
import { startOidcProvider } from '../support/oidc_provider.ts'
import { installProject, type Project } from '../support/project.ts'
import { startRedis } from '../support/redis.ts'
import {
  connect,
  remade,
  signIn,
  start,
  toolsAt,
  type Running,
  type SignedIn,
  type World,
} from './running.ts'
import { freePort } from '../support/free_port.ts'

const PROJECTS = join(import.meta.dirname, 'projects')
/** What every server answers whose guard lets it pass, with sessions and without. */
const HELLO = {
  protocolVersion: '2025-06-18',
  capabilities: {},
  clientInfo: { name: 'a client', version: '1' },
}

/** One server of a project. */
export interface Server {
  readonly name: string
  /** Arguments of `node` that run it before the changes, and after them. */
  readonly before: readonly string[]
  readonly after: readonly string[]
  /** Who sees to it that a tool is not called without its scopes: our guard, the framework, or nobody. */
  readonly toolScopes: 'guard' | 'framework' | 'nobody'
  /** What a call is answered while the store is down. 503 is right, 500 bearable, 401 is not. */
  readonly outage: 503 | 500 | 401
  /** Whether it was open to everybody before, and not only to whom a check of its own knew; true by default. */
  readonly open?: boolean
  /** Where it listens before and after, when the build has settled that; anywhere by default. */
  readonly ports?: { readonly before: number; readonly after: number }
}

/** The compiler over a project, with all the types of its servers. */
export async function compile(project: Project): Promise<void> {
  await project.run('npx', ['tsc'])
}

/** A server whose two programs are the compiled files of one name. */
export function programs(name: string): Pick<Server, 'name' | 'before' | 'after'> {
  return {
    name,
    before: [`dist/before/src/${name}.js`],
    after: [`dist/after/src/${name}.js`],
  }
}

/** Installs and builds `folder` once, and drives each of its servers. */
export function describeProject(
  folder: string,
  build: (project: Project) => Promise<unknown>,
  servers: readonly Server[],
): void {
  const world: { -readonly [name in keyof World]?: World[name] } = {}

  beforeAll(async () => {
    world.upstream = await startOidcProvider()
    world.redis = await startRedis()
    world.project = await install(folder)
    await build(world.project)
  }, 240_000)
  afterAll(async () => {
    await world.redis?.close()
    await world.upstream?.close()
  })

  describe.each(servers)('$name', (server) => {
    describeServer(world as World, server)
  })
}

/** The files that every project has in common are its author's own, except for `mcp_oauth.ts`. */
function install(folder: string): Promise<Project> {
  const shared = (name: string) => readFileSync(join(PROJECTS, name), 'utf8')
  return installProject(join(PROJECTS, folder), {
    files: {
      'before/src/notes.ts': shared('notes.ts'),
      'after/src/notes.ts': shared('notes.ts'),
      'after/src/mcp_oauth.ts': shared('mcp_oauth.ts'),
    },
  })
}

function describeServer(world: World, server: Server): void {
  let running: Running
  let signedIn: SignedIn

  beforeAll(async () => {
    running = await start(world, server.after, server.ports?.after ?? (await freePort()))
  }, 60_000)
  afterAll(async () => {
    await running.program.stop()
    await running.rest.close()
  })

  it(server.open === false ? 'had a check of its own' : 'was open to everybody', async () => {
    const port = server.ports?.before ?? (await freePort())
    const url = `http://127.0.0.1:${port}/mcp`
    const program = await world.project.start('node', server.before, url, {
      PORT: String(port),
      SHARED_TOKEN: 'shared',
      OIDC_ISSUER: world.upstream.issuer,
    })
    if (server.open === false) expect((await call({ resource: url }, undefined)).status).toBe(401)
    else expect(await toolsAt(url)).toEqual(['delete_note', 'list_notes'])
    await program.stop()
  })

  it('RFC 9728 §5.1 tells who has no token where to sign in', async () => {
    const answer = await call(running, undefined)
    expect(answer.status).toBe(401)
    const [, url = ''] =
      /resource_metadata="([^"]+)"/.exec(answer.headers.get('www-authenticate') ?? '') ?? []
    expect(url).toContain('/.well-known/oauth-protected-resource')
    expect(await (await fetch(url)).json()).toMatchObject({
      resource: running.resource,
      authorization_servers: [running.issuer],
    })
  })

  it('signs in with the official client, and a tool acts upstream as who calls', async () => {
    signedIn = await signIn(running, world.upstream)
    const client = await connect(running.resource, signedIn.access_token)
    const notes = await client.callTool({ name: 'list_notes', arguments: {} })
    expect(textOf(notes)).toMatch(/^Ada Lovelace: .*A note of Ada Lovelace/)
    await client.close()
  })

  it('RFC 6750 §3.1 answers 401 to a bad token, whatever is bad about it', async () => {
    const { access_token, refresh_token } = signedIn
    const changed = `${access_token.slice(0, -9)}${'A'.repeat(9)}`
    const forged = ['forged', changed, `${access_token}x`, access_token.slice(0, -1), refresh_token]
    const expired = remade(running, access_token, { exp: Math.floor(Date.now() / 1000) - 1 })
    const foreign = remade(running, access_token, { resource: 'https://mcp.example/mcp' })
    for (const token of [...forged, expired, foreign]) {
      const answer = await call(running, token)
      expect([token, answer.status]).toEqual([token, 401])
      expect(answer.headers.get('www-authenticate')).toContain('resource_metadata=')
    }
  })

  it(`tools' scopes are seen to by ${server.toolScopes}`, async () => {
    const narrow = remade(running, signedIn.access_token, { scope: 'notes:read' })
    const deletion = { name: 'delete_note', arguments: { id: 7 } }
    if (server.toolScopes === 'guard') {
      const answer = await call(running, narrow, 'tools/call', deletion)
      expect(answer.status).toBe(403)
      expect(answer.headers.get('www-authenticate')).toMatch(
        /error="insufficient_scope".*notes:write/,
      )
    }
    const client = await connect(running.resource, narrow)
    const done = client.callTool(deletion).then(textOf, (error: Error) => error.message)
    if (server.toolScopes === 'nobody') expect(await done).toBe('deleted 7')
    else expect(await done).not.toContain('deleted')
    await client.close()
    const wide = await connect(running.resource, signedIn.access_token)
    expect(textOf(await wide.callTool(deletion))).toBe('deleted 7')
    await wide.close()
  })

  it('a session signs nobody in: each call is of who holds its token', async () => {
    const grace = await signIn(running, world.upstream, 'grace')
    const hello = await call(running, signedIn.access_token, 'initialize', HELLO)
    await hello.text()
    const session = hello.headers.get('mcp-session-id')
    const headers = session === null ? undefined : { 'mcp-session-id': session }
    const list = { name: 'list_notes', arguments: {} }
    const answer = await call(running, grace.access_token, 'tools/call', list, headers)
    expect(await answer.text()).toMatch(/Grace Hopper: .*A note of Grace Hopper/)
    expect((await call(running, undefined, 'tools/call', list, headers)).status).toBe(401)
  })

  it('RFC 7009 §2 a sign-in that was revoked is out at once', async () => {
    const { access_token, refresh_token, client_id } = await signIn(running, world.upstream)
    expect((await call(running, access_token, 'initialize', HELLO)).status).toBe(200)
    expect((await post(running, '/revoke', { token: refresh_token, client_id })).status).toBe(200)
    expect((await call(running, access_token, 'initialize', HELLO)).status).toBe(401)
  })

  it(`answers ${server.outage} while the store is down`, async () => {
    await running.rest.close()
    const answer = await call(running, signedIn.access_token)
    expect(answer.status).toBe(server.outage)
    expect(answer.headers.has('www-authenticate')).toBe(server.outage === 401)
  })
}
