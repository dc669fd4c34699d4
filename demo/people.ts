/** Who has an account at the demo's identity provider. */
export interface Person {
  readonly sub: string
  readonly name: string
  readonly email: string
}

export const PEOPLE: readonly Person[] = [
  { sub: 'ada', name: 'Ada Lovelace', email: 'ada@example.com' },
  { sub: 'grace', name: 'Grace Hopper', email: 'grace@example.com' },
]

export function findPerson(sub: string): Person | undefined {
  return PEOPLE.find((person) => person.sub === sub)
}
