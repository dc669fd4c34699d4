/**
 * Every text of the pages, in each language.
 */
import type { Language } from './language.ts'
import { ENGLISH } from './texts_en.ts'
import type { Texts } from './texts_shape.ts'
import { CHINESE } from './texts_zh.ts'

export type { Texts } from './texts_shape.ts'

const TEXTS: { readonly [L in Language]: Texts } = { en: ENGLISH, zh: CHINESE }

/** The texts in `language`. */
export function textsIn(language: Language): Texts {
  return TEXTS[language]
}
