/** What a command says, and where: answers on standard output, everything else on standard error. */
export interface Terminal {
  out(text: string): void
  /** One line for people. */
  tell(line: string): void
  fault(line: string): void
}

/** The same for what strangers' files may have a part in: without what a terminal takes for commands. */
export function legible({ out, tell, fault }: Terminal): Terminal {
  return {
    out: (text) => out(plain(text)),
    tell: (line) => tell(plain(line)),
    fault: (line) => fault(plain(line)),
  }
}

function plain(text: string): string {
  return text.replace(/(?![\t\n\r])[\p{Cc}\p{Bidi_Control}]/gu, '\ufffd')
}

/** The terminal of this process. */
export function createTerminal(): Terminal {
  // `mcp-oauth --help | head -1` leaves before everything is said.
  process.stdout.on('error', () => {})
  return {
    out: (text) => void process.stdout.write(text),
    tell: (line) => console.error(line),
    fault: (line) => console.error(`mcp-oauth: ${line}`),
  }
}
