import { describe, expect, it } from 'vitest'
import {
  metadataUrl,
  protectedResourceMetadata,
} from '../../src/guard/protected_resource_metadata.ts'

const issuer = 'https://auth.test/tenant'
const notes = {
  resource: 'https://mcp.test/mcp',
  name: 'Notes',
  scopes: ['notes:read', 'offline_access', 'notes:write'],
  tools: new Map([['delete_note', ['notes:write']]]),
}
const bare = {
  resource: 'https://bare.test',
  name: 'Bare',
  scopes: ['offline_access'],
  tools: new Map(),
}
const settings = { issuer, resources: [notes, bare] }

describe('RFC 9728 protected resource metadata', () => {
  it('PR-02 §2 the document names the resource, to the letter', () => {
    expect(protectedResourceMetadata(settings, notes.resource)).toEqual({
      resource: 'https://mcp.test/mcp',
      authorization_servers: ['https://auth.test/tenant'],
      scopes_supported: ['notes:read', 'notes:write'],
      bearer_methods_supported: ['header'],
      resource_name: 'Notes',
    })
  })

  it('PR-05 a token is offered no way but the header', () => {
    const { bearer_methods_supported: ways } = protectedResourceMetadata(settings, bare.resource)
    expect(ways).toEqual(['header'])
  })

  it('PR-06 offline_access is no scope of a resource, and an empty list is left out', () => {
    const document = protectedResourceMetadata(settings, bare.resource)
    expect(document).not.toHaveProperty('scopes_supported')
    expect(document.resource).toBe('https://bare.test')
  })

  it('PR-10 PR-11 a document tells of its own resource and of nothing behind it', () => {
    const text = JSON.stringify(protectedResourceMetadata(settings, bare.resource))
    expect(text).not.toContain('mcp.test')
    expect(text).not.toContain('delete_note')
  })

  it('a resource that does not exist has no document', () => {
    expect(() => protectedResourceMetadata(settings, 'https://mcp.test/other')).toThrow(RangeError)
  })

  it.each([
    ['https://mcp.test/mcp', 'https://mcp.test/.well-known/oauth-protected-resource/mcp'],
    ['https://mcp.test', 'https://mcp.test/.well-known/oauth-protected-resource'],
    ['https://mcp.test/', 'https://mcp.test/.well-known/oauth-protected-resource'],
    [
      'https://mcp.test:8443/a/b/',
      'https://mcp.test:8443/.well-known/oauth-protected-resource/a/b/',
    ],
    ['https://mcp.test/mcp?k=v', 'https://mcp.test/.well-known/oauth-protected-resource/mcp?k=v'],
    ['https://mcp.test/?k=v', 'https://mcp.test/.well-known/oauth-protected-resource?k=v'],
    ['http://localhost:8787/mcp', 'http://localhost:8787/.well-known/oauth-protected-resource/mcp'],
  ])('PR-01 §3.1 the document of %s is at %s', (resource, url) => {
    expect(metadataUrl(resource)).toBe(url)
  })
})
