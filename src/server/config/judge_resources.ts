/**
 * Judges `resource`, `resources` and `tools`.
 */
import { canonicalResource } from '../../protocol/resource.ts'
import type { Resource } from './context.ts'
import type { Fault } from './fault.ts'
import type { Scopes } from './judge_scopes.ts'
import type { Options, ResourceOptions } from './options.ts'

// Both stand in each access token, and MAX_TOKEN_LENGTH of crypto/token.ts leaves them this much.
const MAX_RESOURCE_AND_SCOPES = 2900
// What protocol/scope.ts reads, offline_access beside them.
const MAX_SCOPES = 199

type Tools = Readonly<{ [tool: string]: readonly string[] }>

export function judgeResources(
  options: Options,
  { scopes }: Scopes,
  fault: Fault,
): readonly Resource[] {
  const given = [options.resource, ...(options.resources ?? [])].filter((one) => one !== undefined)
  if (given.length === 0) fault('resource', 'is missing; name the MCP endpoint to protect')
  if (options.resource !== undefined && options.resources !== undefined) {
    fault('resource', 'stands beside resources; use one of them')
  }
  judgeTools('tools', options.tools ?? {}, [...scopes.keys()], fault)
  const judged = given.map((one) =>
    judgeResource(
      typeof one === 'string' ? { resource: one } : one,
      options,
      [...scopes.keys()],
      fault,
    ),
  )
  const names = judged.map(({ resource }) => resource)
  const paths = names.map((name) => (URL.canParse(name) ? new URL(name).pathname : name))
  for (const path of new Set(paths.filter((one, index) => paths.indexOf(one) !== index))) {
    fault('resources', `names two with the path ${path}; requests are told apart by it`)
  }
  return judged
}

function judgeResource(
  given: ResourceOptions,
  options: Options,
  known: readonly string[],
  fault: Fault,
): Resource {
  const canonical = canonicalResource(given.resource)
  const option = `resource ${JSON.stringify(given.resource)}`
  if (canonical === undefined) {
    fault(option, 'must be a URL such as https://mcp.example.com/mcp, without a fragment or user')
  } else {
    judgePlace(canonical, options, option, fault)
  }
  const scopes = given.scopes ?? known
  for (const scope of scopes.filter((one) => !known.includes(one))) {
    fault(option, `names the scope ${JSON.stringify(scope)}, which is not among the scopes`)
  }
  judgeTools(`${option}: tools`, given.tools ?? {}, scopes, fault)
  const resource = canonical ?? given.resource
  if (scopes.length > MAX_SCOPES) fault(option, `has more than ${MAX_SCOPES} scopes`)
  if ([resource, ...scopes].join(' ').length > MAX_RESOURCE_AND_SCOPES) {
    const both = `is longer than ${MAX_RESOURCE_AND_SCOPES} characters together with its scopes`
    fault(option, `${both}, which stand in each token; give it fewer or shorter ones`)
  }
  return {
    resource,
    name: given.name ?? options.name ?? (URL.canParse(resource) ? new URL(resource).host : ''),
    scopes,
    tools: new Map(Object.entries({ ...options.tools, ...given.tools })),
  }
}

function judgePlace(
  canonical: string,
  { dangerouslyAllowHttp }: Options,
  option: string,
  fault: Fault,
): void {
  const url = new URL(canonical)
  // RFC 9728 §1.2 allows a query; no MCP endpoint has one, and the guard goes by the path.
  if (url.search !== '') fault(option, 'must have no query')
  const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  if (url.protocol !== 'https:' && !isLocal && dangerouslyAllowHttp !== true) {
    fault(option, 'must be https (http only on localhost, 127.0.0.1 or [::1])')
  }
}

function judgeTools(option: string, tools: Tools, scopes: readonly string[], fault: Fault): void {
  for (const [tool, needed] of Object.entries(tools)) {
    for (const scope of needed.filter((one) => !scopes.includes(one))) {
      fault(option, `needs ${JSON.stringify(scope)} for ${tool}, which is not among the scopes`)
    }
  }
}
