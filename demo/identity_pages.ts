/** The pages of the demo's identity provider. Each says, before anything else, that it is a demo. */
import type { Person } from './people.ts'

const STYLE = `
  :root { color-scheme: light dark; --line: #8886; --soft: #8882; }
  * { box-sizing: border-box; }
  body { margin: 0; font: 16px/1.5 system-ui, sans-serif; }
  .demo { padding: .6rem 1rem; text-align: center; font-weight: 600; color: #000;
    background: repeating-linear-gradient(-45deg, #ffd21f 0 18px, #f4bd00 18px 36px); }
  main { max-width: 26rem; margin: 3rem auto; padding: 0 1.25rem; }
  h1 { font-size: 1.4rem; line-height: 1.25; margin: 0 0 .75rem; }
  p { margin: 0 0 1rem; }
  form { display: grid; gap: .6rem; margin: 1.5rem 0; }
  button { display: block; width: 100%; padding: .75rem 1rem; font: inherit; text-align: left;
    color: inherit; background: var(--soft); border: 1px solid var(--line); border-radius: .6rem;
    cursor: pointer; }
  button:hover, button:focus-visible { border-color: currentColor; }
  button small { display: block; opacity: .75; }
  button.cancel { text-align: center; background: none; }
  small { font-size: .85rem; }
  code { overflow-wrap: anywhere; }`

/** Who is it? One button for each person, and one for no. */
export function choicePage(people: readonly Person[], client_id: string): string {
  const choices = people.map(
    ({ sub, name, email }) =>
      `<button name="login" value="${text(sub)}">Continue as ${text(name)}<small>${text(email)}</small></button>`,
  )
  return page(
    'Who are you today?',
    `<p><code>${text(client_id)}</code> asks you to sign in. This provider has two people and no
passwords: it stands in for GitHub, Google or your company’s login.</p>
<form method="post">
${choices.join('\n')}
<button name="login" value="" class="cancel">Cancel</button>
</form>`,
  )
}

export function errorPage(error: string, description: string): string {
  return page(
    'That did not work',
    `<p>${text(description)}</p><p><code>${text(error)}</code></p><p>Go back to where you began, and try again.</p>`,
  )
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Demo identity provider</title>
<style>${STYLE}</style>
</head>
<body>
<div class="demo">DEMO identity provider · not for real accounts</div>
<main>
<h1>${title}</h1>
${body}
</main>
</body>
</html>
`
}

function text(value: string): string {
  return value.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
