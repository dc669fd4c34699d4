/**
 * A part of the module that makes `auth`: an option's value, with what it needs around it.
 */

/** A name that the environment must have. */
export interface Variable {
  readonly name: string
  /** What it is called in the code. */
  readonly local: string
  /** Its value to begin with; empty where only its owner knows it. */
  readonly example: string
  /** One line for `.env.example`. */
  readonly about: string
}

export interface Part {
  /** What is imported, by module; `default x` is the module's default export. */
  readonly imports: readonly (readonly [module: string, name: string])[]
  readonly variables: readonly Variable[]
  /** Statements that stand before `auth`. */
  readonly before?: string
  /** Written in the style that `inStyle` takes. */
  readonly value: string
  /** What must be installed beside the package, with its range. */
  readonly packages?: Readonly<{ [name: string]: string }>
  /** The same for types, where the project has any. */
  readonly typePackages?: Readonly<{ [name: string]: string }>
  /** What its author must still write in it. */
  readonly left?: string
}
