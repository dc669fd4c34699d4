/**
 * Judges `scopes` and `defaultScope`, and works out which scope implies which.
 */
import { OFFLINE_ACCESS } from '../../protocol/authorization_request.ts'
import { isScopeToken } from '../../protocol/scope.ts'
import type { Config } from './context.ts'
import type { Fault } from './fault.ts'
import type { Options } from './options.ts'

export type Scopes = Pick<Config, 'scopes' | 'hierarchy' | 'defaultScope'>

export function judgeScopes(options: Options, fault: Fault): Scopes {
  const catalogue = Object.entries(options.scopes ?? {}).map(([scope, value]) => {
    const { description, implies = [] } = typeof value === 'string' ? { description: value } : value
    return { scope, description, implies }
  })
  const known = catalogue.map(({ scope }) => scope)
  for (const { scope, description, implies } of catalogue) {
    const option = `scopes: ${JSON.stringify(scope)}`
    if (!isScopeToken(scope)) {
      fault(option, 'has a character that no scope may have (RFC 6749 section 3.3)')
    }
    if (scope === OFFLINE_ACCESS) fault(option, 'is known anyway; leave it out')
    if (typeof description !== 'string' || description.trim() === '') {
      fault(option, 'needs a sentence for the consent page')
    }
    for (const implied of implies.filter((one) => !known.includes(one))) {
      fault(option, `implies ${JSON.stringify(implied)}, which is not among the scopes`)
    }
  }
  const defaultScope = options.defaultScope ?? known
  for (const scope of defaultScope.filter((one) => !known.includes(one))) {
    fault('defaultScope', `names ${JSON.stringify(scope)}, which is not among the scopes`)
  }
  const implied = new Map(catalogue.map(({ scope, implies }) => [scope, implies] as const))
  return {
    scopes: new Map(catalogue.map(({ scope, description }) => [scope, description])),
    hierarchy: new Map(
      known
        .map((scope) => [scope, closure(scope, implied)] as const)
        .filter(([, all]) => all.length),
    ),
    defaultScope,
  }
}

/** Every scope below `scope`, at any depth. */
function closure(
  scope: string,
  implied: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  const found = new Set<string>()
  const waiting = [...(implied.get(scope) ?? [])]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (found.has(next) || next === scope) continue
    found.add(next)
    waiting.push(...(implied.get(next) ?? []))
  }
  return [...found]
}
