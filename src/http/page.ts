/**
 * The frame of every page that a person sees: document, style and the headers that guard them.
 *
 * No page has a script, an image or anything from elsewhere, and the policy says so to the browser. The
 * one style sheet stands in the page and is admitted by its hash.
 */
import { sha256 } from '../crypto/hash.ts'
import { html, render, type Html } from './html.ts'
import type { HttpResponse } from './message.ts'
import { STYLE, styleText } from './page_style.ts'
import type { Headers } from './respond.ts'

/** What a page is made of. */
export interface PageOptions {
  /** BCP 47, for the `lang` attribute. */
  readonly lang: string
  readonly title: string
  /** What stands in `<body>`; landmarks included. */
  readonly body: Html
  readonly status: number
  /** Where its forms may lead beside this origin, redirects included; see decision 0001. */
  readonly formActionOrigins?: readonly string[]
  /** A location that the browser goes on to by itself. The caller has judged it. */
  readonly refresh?: string
  readonly headers?: Headers
  /** Whether the issuer is https. */
  readonly secure: boolean
}

const STYLE_HASH = Buffer.from(sha256(styleText(render(STYLE))), 'base64url').toString('base64')
const POLICY = policy([])
const TWO_YEARS = 63_072_000

const GUARDS: Headers = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  // RFC 9700 §4.2.4: the page's URL, which holds the request, goes nowhere.
  'referrer-policy': 'no-referrer',
  // RFC 9700 §4.16: for browsers that do not know frame-ancestors.
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  // Whoever opened this page in a window keeps no handle to it.
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
}

/** A page as a response. */
export function page(options: PageOptions): HttpResponse {
  return {
    status: options.status,
    headers: {
      ...GUARDS,
      'content-security-policy':
        options.formActionOrigins === undefined ? POLICY : policy(options.formActionOrigins),
      ...(options.secure ? { 'strict-transport-security': `max-age=${TWO_YEARS}` } : {}),
      ...options.headers,
    },
    body: render(frame(options)),
  }
}

function frame({ lang, title, body, refresh }: PageOptions): Html {
  const goOn =
    refresh !== undefined && html`<meta http-equiv="refresh" content="0;url=${refresh}" />`
  return html`<!doctype html>
    <html lang="${lang}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        ${goOn}
        <title>${title}</title>
        ${STYLE}
      </head>
      <body>
        ${body}
      </body>
    </html> `
}

// CSP 3: what is not named is 'none'; form-action, frame-ancestors and base-uri do not fall back to it.
function policy(formActionOrigins: readonly string[]): string {
  return [
    "default-src 'none'",
    `style-src 'sha256-${STYLE_HASH}'`,
    ['form-action', "'self'", ...formActionOrigins.map(checkSource)].join(' '),
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; ')
}

// CSP 3 §2.3.1: scheme-source or an origin without path. Anything more could end the directive.
function checkSource(source: string): string {
  if (!/^[a-z][a-z0-9+.-]*:(\/\/[a-z0-9.\-[\]:]+)?$/.test(source)) {
    throw new TypeError('a form-action source must be an origin or a scheme')
  }
  return source
}
