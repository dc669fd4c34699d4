/** What a fault is tried on: a store of one engine, and what can be done to it. */

/** A store as a program is told of it. */
export interface StorePlace {
  /** As `--store` spells it. */
  readonly text: string
  /** What it reads beside that. */
  readonly environment?: Readonly<{ [name: string]: string }>
}

/** A store that several server processes may open. */
export interface Ground {
  readonly store: StorePlace
  /** Every byte that the engine has written to its disk since it was started. */
  bytes(): Promise<readonly Buffer[]>
  /** Where there is a server: how it is reached, and reached over another port. */
  readonly network?: { readonly port: number; storeAt(port: number): StorePlace }
  /** Where there is a server: kills it, and starts it again on what it has written. */
  crash?(): Promise<void>
  /** Where others take over: kills a primary, and gives what brings it back and waits until it follows. */
  failover?(): Promise<() => Promise<void>>
  close(): Promise<void>
}
