/** What `workerd serve` is told: a bundled module as a Worker, its variables, and where it may go. */
export interface WorkersOptions {
  /** `private` too, as the providers of tests are on this machine. */
  readonly reach?: readonly ('public' | 'private')[]
  readonly flags?: readonly string[]
  readonly date?: string
  /** Whether the Worker `front` stands before it. */
  readonly front?: boolean
}

export const FLAGS: readonly string[] = ['nodejs_compat', 'global_fetch_strictly_public']

/** @param name of a module in `bundled/` */
export function configOf(
  name: string,
  port: number,
  env: Readonly<{ [name: string]: string }>,
  options: WorkersOptions = {},
): string {
  const { reach = ['public', 'private'], flags = FLAGS, date = '2026-04-01', front } = options
  const bindings = Object.entries(env).map(
    ([key, text]) => `(name = ${quote(key)}, text = ${quote(text)})`,
  )
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "front", worker = .front),
    (name = "internet", network = (allow = [${reach.map(quote).join(', ')}])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "${front === true ? 'front' : 'main'}")],
);
const main :Workerd.Worker = (
  modules = [(name = "main", esModule = embed "bundled/${name}.mjs")],
  compatibilityDate = ${quote(date)},
  compatibilityFlags = [${flags.map(quote).join(', ')}],
  bindings = [${bindings.join(', ')}],
);
const front :Workerd.Worker = (
  modules = [(name = "front", esModule = embed "out/front.js")],
  compatibilityDate = ${quote(date)},
  bindings = [(name = "MAIN", service = "main")],
);
`
}

function quote(text: string): string {
  return JSON.stringify(text)
}
