/**
 * What a message needs: nothing, a token, or a token with scopes.
 *
 * It is read from the body, which is what will be executed. A tool that is not declared and a method
 * that is not known need a token and no more: whether they exist is for the MCP server to say.
 */
import { textParam, type RpcMessage } from './json_rpc.ts'
import { RpcError } from './rpc_error.ts'

/** What the messages of one body need together. */
export interface Demand {
  /** Whether they may pass without a token, where the endpoint allows that. */
  readonly open: boolean
  /** The tools that will run, declared or not, in the order of the body. */
  readonly tools: readonly string[]
  /** Every scope that one of these tools needs. */
  readonly scope: readonly string[]
}

/** What the declared policy says. */
export type ToolPolicy = ReadonlyMap<string, readonly string[]>

/**
 * What passes without a token under `required: false`: enough to say hello and to see what there is.
 * The list is closed. A legacy stream (GET) and the end of a session (DELETE) are not in it: 405 without a token.
 */
export const OPEN_METHODS: ReadonlySet<string> = new Set([
  'initialize',
  'notifications/initialized',
  'ping',
  'server/discover',
  'tools/list',
  'resources/list',
  'resources/templates/list',
  'prompts/list',
])

const NOTHING: readonly string[] = []
const OPEN: Demand = { open: true, tools: NOTHING, scope: NOTHING }
const CLOSED: Demand = { open: false, tools: NOTHING, scope: NOTHING }

/** What `messages` need. @throws RpcError for a call of a tool without a name. */
export function demandOf(messages: readonly RpcMessage[], policy: ToolPolicy): Demand {
  const [only] = messages
  if (only !== undefined && messages.length === 1) return demandOfOne(only, policy)
  const demands = messages.map((message) => demandOfOne(message, policy))
  return {
    open: demands.every(({ open }) => open),
    tools: demands.flatMap(({ tools }) => tools),
    scope: [...new Set(demands.flatMap(({ scope }) => scope))],
  }
}

function demandOfOne(message: RpcMessage, policy: ToolPolicy): Demand {
  const { method } = message
  if (method === undefined) return CLOSED
  if (OPEN_METHODS.has(method)) return OPEN
  if (!callsTool(method)) return CLOSED
  const tool = textParam(message, 'name')
  // Without a name here, a looser reader behind the guard might still find one.
  if (tool === undefined) {
    throw new RpcError('invalid_params', 'params.name must be the name of a tool', {
      reason: 'not_json_rpc',
      id: message.id,
    })
  }
  return { open: false, tools: [tool], scope: policy.get(tool) ?? NOTHING }
}

/** In any case of letters: should a server be so lenient as to run `Tools/Call`, the policy has held. */
function callsTool(method: string): boolean {
  return (
    method === 'tools/call' ||
    (method.length === 'tools/call'.length && method.toLowerCase() === 'tools/call')
  )
}
