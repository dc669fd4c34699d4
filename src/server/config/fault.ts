/**
 * How a fault of the options is told while they are judged: the option, and the rule that it breaks.
 */
export type Fault = (option: string, rule: string) => void
