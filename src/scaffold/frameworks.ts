/**
 * The frameworks whose apps take sign-in as two lines behind the app's creation, as data.
 */
import { findCalls, type Call, type Code } from './code.ts'
import { localName } from './imports.ts'

export type MiddlewareName = 'express' | 'hono' | 'fastify'

export interface MiddlewareFramework {
  readonly name: MiddlewareName
  readonly title: string
  /** The door of this package, and what it gives. */
  readonly door: string
  readonly routes: string
  readonly guard: string
  /** What makes a plain app here; undefined where the file does not import it. */
  readonly creators: (code: Code) => readonly Call[]
  /** How a plain app is made, and what that needs. */
  readonly create: { readonly value: string; readonly module: string; readonly name: string }
  /** What the MCP SDK makes apps with: they check origins before anybody else is asked. */
  readonly mcpCreator: { readonly name: string; readonly modules: RegExp }
  /** The line for the OAuth routes. */
  readonly routesLine: (app: string, auth: string) => string
  /** The line for the guard of a path, with all below it where it is `below`. */
  readonly guardLine: (app: string, auth: string, path: string, below: boolean) => string
  /** The line that puts such an app behind ours. Undefined where the guard checks all that it does. */
  readonly behind: ((app: string, value: string) => string) | undefined
}

export const MIDDLEWARE: readonly MiddlewareFramework[] = [
  {
    name: 'express',
    title: 'Express',
    door: '@mcp-oauth/server/express',
    routes: 'toExpressHandler',
    guard: 'protectExpress',
    creators: (code) => [
      ...callsOf(code, localName(code, 'express', 'default')),
      // `require` gives one name for both.
      ...(localName(code, 'express', 'default') === undefined
        ? callsOf(code, localName(code, 'express', '*'))
        : []),
    ],
    create: { value: 'express()', module: 'express', name: 'default express' },
    mcpCreator: {
      name: 'createMcpExpressApp',
      modules: /^@modelcontextprotocol\/(?:express$|sdk\/server\/express)/,
    },
    routesLine: (app, auth) => `${app}.use(toExpressHandler(${auth}));`,
    guardLine: (app, auth, path) => `${app}.use('${path}', protectExpress(${auth}));`,
    behind: (app, value) => `${app}.use(${value});`,
  },
  {
    name: 'hono',
    title: 'Hono',
    door: '@mcp-oauth/server/hono',
    routes: 'toHonoHandler',
    guard: 'protectHono',
    creators: (code) => callsOf(code, localName(code, /^hono(?:\/(?:tiny|quick))?$/, 'Hono')),
    create: { value: 'new Hono()', module: 'hono', name: 'Hono' },
    mcpCreator: { name: 'createMcpHonoApp', modules: /^@modelcontextprotocol\/hono$/ },
    routesLine: (app, auth) => `${app}.use(toHonoHandler(${auth}));`,
    guardLine: (app, auth, path, below) =>
      `${app}.use('${path}${below ? '/*' : ''}', protectHono(${auth}));`,
    behind: (app, value) => `${app}.route('/', ${value});`,
  },
  {
    name: 'fastify',
    title: 'Fastify',
    door: '@mcp-oauth/server/fastify',
    routes: 'toFastifyPlugin',
    guard: 'protectFastifyRoute',
    creators: (code) => [
      ...callsOf(code, localName(code, 'fastify', 'default')),
      ...callsOf(code, localName(code, 'fastify', 'fastify')),
    ],
    create: { value: 'Fastify()', module: 'fastify', name: 'default Fastify' },
    mcpCreator: { name: 'createMcpFastifyApp', modules: /^@modelcontextprotocol\/fastify$/ },
    routesLine: (app, auth) => `${app}.register(toFastifyPlugin(${auth}));`,
    guardLine: (app, auth, path) => `${app}.register(protectFastifyRoute(${auth}, '${path}'));`,
    behind: undefined,
  },
]

function callsOf(code: Code, name: string | undefined): readonly Call[] {
  return name === undefined ? [] : findCalls(code, name)
}

/** Apps that the MCP SDK makes in this file. */
export function mcpCreatorCalls(code: Code, { mcpCreator }: MiddlewareFramework): readonly Call[] {
  return callsOf(code, localName(code, mcpCreator.modules, mcpCreator.name))
}
