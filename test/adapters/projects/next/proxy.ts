import { NextResponse, type NextRequest } from 'next/server'

/** As sign-in of apps does it: whoever has no session goes to the login. */
export function proxy(request: NextRequest): NextResponse {
  const { nextUrl } = request
  if (request.cookies.has('session') || nextUrl.pathname.startsWith('/login')) {
    return NextResponse.next()
  }
  const login = nextUrl.clone()
  login.pathname = '/login'
  return NextResponse.redirect(login)
}

export const config = { matcher: ['/((?!oauth/|\\.well-known/|mcp/?$|_next/).*)'] }
