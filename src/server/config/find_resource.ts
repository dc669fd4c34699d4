/**
 * Which of the resources is meant, where a request or a program says it.
 */
import type { Config } from './context.ts'

/** The only one, or the one whose path the request has. */
export function resourceFor(
  { resources }: Config,
  request: Request | undefined,
): string | undefined {
  const [only, ...others] = resources
  if (others.length === 0) return only?.resource
  if (request === undefined) return undefined
  const { pathname } = new URL(request.url)
  return resources.find(({ resource }) => new URL(resource).pathname === pathname)?.resource
}

/** The one of this name, or the only one. @throws RangeError where there is none */
export function namedResource({ resources }: Config, name: string | undefined): string {
  const [only, ...others] = resources
  if (name === undefined && only !== undefined && others.length === 0) return only.resource
  const named = resources.find(({ resource }) => resource === name)
  if (named !== undefined) return named.resource
  const what = name === undefined ? 'say which resource' : `this server has no resource ${name}`
  throw new RangeError(`${what}: ${resources.map(({ resource }) => resource).join(', ')}`)
}
