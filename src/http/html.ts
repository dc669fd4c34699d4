/**
 * HTML from templates: what is written in the template is markup, what is put into it is text.
 *
 * `Html` cannot be made in another way: its one member is named by a symbol that stays in this file,
 * so no parsed JSON and no forgotten cast turns text into markup. Values may stand in element content
 * and in quoted attributes; an unquoted attribute is refused when it is met.
 */
const MARKUP: unique symbol = Symbol('markup')

/** Markup that is safe to send. */
export interface Html {
  readonly [MARKUP]: string
}

/** What a template takes. Lists are joined without a separator; undefined and false leave nothing. */
export type HtmlValue = string | number | false | undefined | Html | readonly HtmlValue[]

const UNQUOTED = /\s[a-z-]+=$/i
const SPECIAL = /[&<>"']/
const ENTITIES: { readonly [character: string]: string } = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** The literals of a template are one frozen array, whatever values are put in: so they are judged once. */
const judged = new WeakSet<TemplateStringsArray>()

/** The template tag. */
export function html(literals: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  if (!judged.has(literals)) checkQuotes(literals)
  let text = literals[0] ?? ''
  for (let index = 0; index < values.length; index += 1) {
    text += renderValue(values[index]) + (literals[index + 1] ?? '')
  }
  return { [MARKUP]: text }
}

function checkQuotes(literals: TemplateStringsArray): void {
  if (literals.slice(0, -1).some((literal) => UNQUOTED.test(literal))) {
    throw new TypeError('an attribute value needs quotes')
  }
  judged.add(literals)
}

/** The text to send. */
export function render(markup: Html): string {
  return markup[MARKUP]
}

function renderValue(value: HtmlValue): string {
  if (value === undefined || value === false) return ''
  if (typeof value === 'string') return escape(value)
  if (typeof value === 'number') return String(value)
  return isList(value) ? value.map(renderValue).join('') : value[MARKUP]
}

function isList(value: Html | readonly HtmlValue[]): value is readonly HtmlValue[] {
  return Array.isArray(value)
}

// HTML Living Standard §13.1.2.3 and §13.1.4: these five, and text can neither open a tag nor a
// character reference nor leave an attribute in either kind of quotes.
function escape(text: string): string {
  if (!SPECIAL.test(text)) return text
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}
