/**
 * Protected resource metadata: RFC 9728 §3, one document for each resource.
 */
import { protectedResourceMetadata } from '../../guard/protected_resource_metadata.ts'
import type { HttpResponse } from '../../http/message.ts'
import { json } from '../../http/respond.ts'
import type { Context } from '../config/context.ts'

/** The endpoint for one resource, which is canonical. */
export function resourceMetadata(resource: string): (context: Context) => Promise<HttpResponse> {
  return ({ config }) => {
    const headers = { 'cache-control': 'public, max-age=3600' }
    return Promise.resolve(json(200, protectedResourceMetadata(config, resource), headers))
  }
}
