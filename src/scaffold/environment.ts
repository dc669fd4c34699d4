/**
 * The files around the code that hold or hide secrets: `.env.example`, `.env` and `.gitignore`.
 */
import { namesIn, withVariables } from './env_file.ts'
import { isIgnored, withIgnored } from './ignore_file.ts'
import type { PlannedModule } from './planned_module.ts'
import type { ProjectFiles } from './project.ts'
import type { Recognition } from './recognise.ts'

export interface EnvironmentWrites {
  readonly files: readonly (readonly [path: string, text: string])[]
  readonly left: readonly string[]
  /** The file with the secrets. */
  readonly path: string
}

const EXAMPLES = ['.env.example', '.env.sample', '.env.template', '.env.local.example']

export function environmentWrites(
  files: ProjectFiles,
  { place }: Recognition,
  module: PlannedModule,
  key: string,
): EnvironmentWrites {
  const path = place.kind === 'next' ? '.env.local' : '.env'
  const example = EXAMPLES.find((name) => files.texts.has(name)) ?? '.env.example'
  const secrets = secretFile(files, path, module, key)
  const writable = (name: string) => !files.others.has(name)
  const shown = withVariables(files.texts.get(example) ?? '', module.variables, {}, true)
  const hidden = ignoreFile(files, path, example, module)
  return {
    path,
    files: [
      ...(writable(example) ? [[example, shown] as const] : []),
      ...(writable('.gitignore') ? [['.gitignore', hidden] as const] : []),
      ...secrets.files,
    ],
    left: [
      ...secrets.left,
      ...[example, '.gitignore']
        .filter((name) => !writable(name))
        .map((name) => `${name} ${files.others.get(name)}: it was left as it is`),
    ],
  }
}

/** A key is made only where the file has none, and never goes where git would take it. */
function secretFile(
  files: ProjectFiles,
  path: string,
  { variables }: PlannedModule,
  key: string,
): Pick<EnvironmentWrites, 'files' | 'left'> {
  const text = files.texts.get(path) ?? ''
  const missing = variables.filter(({ name }) => !namesIn(text).has(name)).map(({ name }) => name)
  const after = withVariables(text, variables, { MCP_OAUTH_KEYS: key }, false)
  if (after === text) return { files: [], left: [] }
  const where = `set ${missing.join(', ') || 'MCP_OAUTH_KEYS'} in the environment`
  const reason = files.others.get(path)
  if (reason !== undefined) return { files: [], left: [`${path} ${reason}: ${where}`] }
  if (files.git.tracked.has(path)) {
    return { files: [], left: [`${path} is tracked by git, and no place for secrets: ${where}`] }
  }
  if (files.others.has('.gitignore') && !isIgnored(files.git, path)) {
    return { files: [], left: [`${path} is not ignored by git: ${where}`] }
  }
  return { files: [[path, after]], left: [] }
}

function ignoreFile(
  { texts, git }: ProjectFiles,
  path: string,
  example: string,
  { ignored }: PlannedModule,
): string {
  const text = texts.get('.gitignore') ?? ''
  const hide = [path, ...ignored].filter((pattern) => !isIgnored(git, pattern.replace('*', 'wal')))
  // `.env*` takes the example along.
  const show = isIgnored(git, example) && !git.tracked.has(example) ? [`!${example}`] : []
  return withIgnored(text, [...hide, ...show])
}
