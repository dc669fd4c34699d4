/**
 * The one style sheet: system fonts, light and dark, forced colours, print; nothing is loaded.
 *
 * It is a template without values, as style text knows no character references. The contrast of every
 * pair of text and ground is at least 4.5 : 1 in both schemes (WCAG 2.2, 1.4.3), of borders 3 : 1.
 */
import { html, type Html } from './html.ts'

// prettier-ignore
export const STYLE: Html = html`<style>
:root {
  color-scheme: light dark;
  --ground: #f3f4f6; --card: #ffffff; --text: #16181d; --soft: #555b66; --line: #d9dce2; --edge: #7c8492;
  --accent: #1d4ed8; --accent-ink: #ffffff; --accent-over: #1a43b8;
  --warn: #fff6e0; --warn-line: #b87700; --good: #e7f5ec; --good-ink: #14603a;
  --doubt: #fdecea; --doubt-ink: #9b1c13; --well: #f6f7f9;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #101216; --card: #1a1d23; --text: #eceef2; --soft: #a9b0bd; --line: #30353f; --edge: #7b8494;
    --accent: #8fb4ff; --accent-ink: #0d1526; --accent-over: #b0caff;
    --warn: #2d2512; --warn-line: #d79a2b; --good: #14301f; --good-ink: #86dba9;
    --doubt: #3a1a18; --doubt-ink: #ffaca5; --well: #22262e;
  }
}
*, *::before, *::after { box-sizing: border-box }
body {
  margin: 0; min-height: 100vh; display: flex; flex-direction: column; align-items: center;
  padding: clamp(1rem, 5vh, 4rem) 1rem; background: var(--ground); color: var(--text);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", Arial,
    "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "WenQuanYi Micro Hei", sans-serif;
  overflow-wrap: anywhere; -webkit-text-size-adjust: 100%;
}
header, main { width: 100%; max-width: 30rem }
header { padding: 0 .25rem .75rem; color: var(--soft); font-size: .9375rem; font-weight: 600 }
main {
  background: var(--card); border: 1px solid var(--line); border-radius: 1rem;
  padding: clamp(1.25rem, 5vw, 2rem); box-shadow: 0 1px 2px rgb(0 0 0 / .05), 0 8px 28px rgb(0 0 0 / .07);
}
h1 { margin: 0; font-size: 1.5rem; line-height: 1.3; letter-spacing: -.01em; text-wrap: balance }
h2 { margin: 1.75rem 0 .625rem; font-size: 1rem; line-height: 1.4 }
p { margin: .75rem 0 0; text-wrap: pretty }
h1:lang(zh) { letter-spacing: 0; word-break: keep-all }
a { color: var(--accent) }
code { font: .9375em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace }
.soft { color: var(--soft) }
.badge {
  display: inline-block; margin-top: .75rem; padding: .25rem .625rem; border-radius: .5rem;
  border: 1px solid transparent; font-size: .875rem; font-weight: 600; line-height: 1.4;
}
.badge.good { background: var(--good); color: var(--good-ink) }
.badge.doubt { background: var(--doubt); color: var(--doubt-ink) }
.facts { margin: 1.25rem 0 0; border: 1px solid var(--line); border-radius: .75rem }
.facts > div { padding: .625rem .875rem }
.facts > div + div { border-top: 1px solid var(--line) }
.facts dt { color: var(--soft); font-size: .875rem }
.facts dd { margin: 0; font-weight: 600 }
.facts dd .soft { display: inline-block; font-weight: 400 }
.note {
  margin: 1rem 0 0; padding: .75rem .875rem; background: var(--warn); border: 1px solid var(--warn-line);
  border-radius: .75rem; font-size: .9375rem;
}
.note strong { display: block }
.scopes { margin: 0; padding: 0; list-style: none }
.scopes li { position: relative; padding: .3125rem 0 .3125rem 1.75rem }
.scopes li::before {
  content: ""; position: absolute; left: .375rem; top: .6875rem; width: .375rem; height: .6875rem;
  border: solid var(--accent); border-width: 0 .125rem .125rem 0; transform: rotate(45deg);
}
.new {
  display: inline-block; padding: 0 .4375rem; border-radius: .375rem;
  background: var(--accent); color: var(--accent-ink); border: 1px solid transparent;
  font-size: .75rem; font-weight: 700; line-height: 1.5; vertical-align: .0625rem;
}
.advice { margin-top: 1.25rem; color: var(--soft); font-size: .9375rem }
.decide { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 1rem }
button, .button {
  flex: 1 1 9rem; min-height: 3rem; padding: .625rem 1rem; border: 1px solid var(--edge); border-radius: .625rem;
  background: var(--card); color: var(--text); font: inherit; font-weight: 600; line-height: 1.4;
  text-align: center; text-decoration: none; cursor: pointer;
}
button:hover, .button:hover { background: var(--well) }
.primary { background: var(--accent); border-color: var(--accent); color: var(--accent-ink) }
.primary:hover { background: var(--accent-over); border-color: var(--accent-over) }
.button { display: block; margin-top: 1.25rem }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px }
/* A pointer that has only just come over the buttons cannot press them: the second half of a double
   click that was begun on another window is lost. Keys are not slowed, nor are fingers. */
@media (hover: hover) and (pointer: fine) {
  .decide:hover button { animation: arm .5s step-end }
}
@keyframes arm { from { pointer-events: none } to { pointer-events: auto } }
details { margin-top: 1.25rem; font-size: .875rem; color: var(--soft) }
summary { cursor: pointer; padding: .25rem 0; border-radius: .25rem }
details dl { margin: .5rem 0 0 }
details dt { margin-top: .5rem }
details dd { margin: 0; color: var(--text) }
.well { margin-top: 1.5rem; padding: .75rem .875rem; background: var(--well); border-radius: .625rem; font-size: .875rem }
.well h2 { margin: 0 0 .25rem; font-size: .875rem; color: var(--soft) }
.well p { margin: .25rem 0 0 }
@media (forced-colors: active) {
  .badge, .new, .note, .button { border-color: CanvasText }
  .scopes li::before { border-color: CanvasText }
}
@media print {
  body { background: none; padding: 0 } main { border: 0; box-shadow: none; padding: 0 } .decide { display: none }
}
</style>`

/** What stands between the tags: the text that the policy's hash is of. */
export function styleText(style: string): string {
  return style.slice('<style>'.length, -'</style>'.length)
}
